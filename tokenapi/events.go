package tokenapi

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const pathEvents = "/v1/events"

// The feed answers within 10 s by itself; pollLimit is the bound that this endpoint promises, and pollWrite the time that
// a server with a write timeout must leave it.
const (
	pollLimit = 25 * time.Second
	pollWrite = 30 * time.Second
)

// maxPolls bounds the requests that wait for news at once. Each follower has one, and what a store has for them
// (connections, subscriptions) must be left to the rest of the service too.
const maxPolls = 1024

// errTooManyPolls is the refusal of one more.
var errTooManyPolls = &jws.Refusal{Check: jws.CheckPolicy, Reason: jws.Unavailable, Want: "fewer followers at once"}

// maxCursor is the longest cursor, in bytes.
const maxCursor = 256

func (a *API) events() endpoint {
	return endpoint{
		path: pathEvents, methods: []string{http.MethodGet},
		serve: a.withCaller(MayFollow, a.serveEvents),
	}
}

// serveEvents answers with a session.Batch: at once if there is news after the cursor, else after a wait with an empty
// one, which proves that the feed is alive.
func (a *API) serveEvents(w http.ResponseWriter, r *http.Request, d *Decision) {
	query := r.URL.Query()
	if len(query["after"]) > 1 || len(query.Get("after")) > maxCursor {
		writeProblem(w, d, http.StatusBadRequest, "The parameter after is there twice or too long.")
		return
	}
	defer a.polls.Add(-1)
	if a.polls.Add(1) > maxPolls {
		writeRefusal(w, d, errTooManyPolls)
		return
	}
	extendWrite(w, r)
	ctx, cancel := context.WithTimeout(r.Context(), pollLimit)
	defer cancel()
	batch, err := a.config.Ledger.Since(ctx, query.Get("after"))
	if err != nil {
		writeRefusal(w, d, unavailable(err))
		return
	}
	if batch.Events == nil {
		batch.Events = []session.Event{}
	}
	d.Allowed = true
	writeJSON(w, d, http.StatusOK, batch)
}

// extendWrite leaves the answer its time where the server's own write timeout is shorter. A server without one would
// not take the deadline back before the connection's next request.
func extendWrite(w http.ResponseWriter, r *http.Request) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if ok && server.WriteTimeout > 0 && server.WriteTimeout < pollWrite {
		// A writer that cannot do it leaves the follower with an answer that is cut off, and it asks again.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pollWrite))
	}
}
