package tokenapi

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/sallyport-auth/sallyport/connect"
)

const (
	pathSockets     = "/v1/sockets"
	pathSocketsKick = "/v1/sockets/kick"
)

const (
	errFilter    fault = "Name at least one of realm and subject, user_id, session, route, node, socket."
	errSocket    fault = "The member socket must be a socket's number."
	errParameter fault = "A parameter is unknown, or there twice."
)

// filterNames are the names of what selects sockets.
var filterNames = []string{"realm", "subject", "user_id", "session", "route", "node", "socket"}

// Sockets lists and ends the live sockets of a node, or of all nodes together. The functions connect.ListSockets and
// connect.KickSockets over a store do the latter.
type Sockets interface {
	// List returns the live sockets that the filter selects. Errors wrap session.ErrStoreUnavailable.
	List(ctx context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error)
	// Kick ends those that the filter selects, which is not the zero filter, as connect.CloseKicked.
	Kick(ctx context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error)
}

func (a *API) sockets() endpoint {
	return endpoint{
		path: pathSockets, methods: []string{http.MethodGet}, absent: a.config.Sockets == nil,
		serve: a.withCaller(MaySockets, a.serveSockets),
	}
}

func (a *API) socketsKick() endpoint {
	return endpoint{
		path: pathSocketsKick, methods: []string{http.MethodPost}, absent: a.config.Sockets == nil,
		serve: a.withCaller(MaySockets, a.serveKick),
	}
}

// serveSockets answers with a connect.ClusterAnswer. Parameters are filterNames; none selects all sockets.
func (a *API) serveSockets(w http.ResponseWriter, r *http.Request, d *Decision) {
	query := r.URL.Query()
	for name, values := range query {
		if len(values) > 1 || !slices.Contains(filterNames, name) {
			writeProblem(w, d, http.StatusBadRequest, errParameter.Error())
			return
		}
	}
	filter, err := a.socketFilter(query.Get)
	if err != nil {
		writeProblem(w, d, http.StatusBadRequest, err.Error())
		return
	}
	d.Player = filter.Player
	found, err := a.config.Sockets.List(r.Context(), filter)
	answerSockets(w, d, found, err)
}

// serveKick takes a JSON object with some of filterNames, and answers as serveSockets, with how many were ended.
func (a *API) serveKick(w http.ResponseWriter, r *http.Request, d *Decision) {
	body, err := readOrder(w, r, filterNames...)
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	filter, err := a.socketFilter(func(name string) string {
		text, _ := body.String(name)
		return text
	})
	if err == nil && filter == (connect.SocketFilter{}) {
		err = errFilter
	}
	if err != nil {
		writeProblem(w, d, http.StatusBadRequest, err.Error())
		return
	}
	d.Player, d.Session = filter.Player, filter.Session
	done, err := a.config.Sockets.Kick(r.Context(), filter)
	answerSockets(w, d, done, err)
}

func (a *API) socketFilter(get func(name string) string) (f connect.SocketFilter, err error) {
	f = connect.SocketFilter{Session: get("session"), Route: get("route"), Node: get("node")}
	if number := get("socket"); number != "" {
		if f.ID, err = strconv.ParseUint(number, 10, 64); err != nil || f.ID == 0 {
			return f, errSocket
		}
	}
	if get("realm")+get("subject")+get("user_id") != "" {
		f.Player, err = a.playerNamed(get("realm"), get("subject"), get("user_id"))
	}
	return f, err
}

func answerSockets(w http.ResponseWriter, d *Decision, answer connect.ClusterAnswer, err error) {
	if err != nil {
		writeRefusal(w, d, unavailable(err))
		return
	}
	// A list of nothing is a list, not null.
	answer.Sockets = append([]connect.SocketInfo{}, answer.Sockets...)
	answer.Nodes, answer.Silent = append([]string{}, answer.Nodes...), append([]string{}, answer.Silent...)
	d.Allowed = true
	writeJSON(w, d, http.StatusOK, answer)
}
