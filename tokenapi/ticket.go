package tokenapi

import (
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	pathTicket = "/v1/ticket"
	pathRedeem = "/v1/ticket/redeem"

	noTicket = "The member ticket is required."
)

func (a *API) ticket() endpoint {
	return endpoint{
		path: pathTicket, methods: []string{http.MethodPost}, cors: true,
		absent: a.config.Tickets == nil, serve: a.serveTicket,
	}
}

func (a *API) redeem() endpoint {
	return endpoint{
		path: pathRedeem, methods: []string{http.MethodPost},
		absent: a.config.Tickets == nil, serve: a.withCaller(MayRedeem, a.serveRedeem),
	}
}

// ticketResponse is the body of /v1/ticket.
type ticketResponse struct {
	Ticket string `json:"ticket"`
	// ExpiresAt is RFC 3339 in UTC.
	ExpiresAt time.Time `json:"expires_at"`
}

// serveTicket takes a session token as Bearer, and {"audience": …} if the ticket is for one backend only.
func (a *API) serveTicket(w http.ResponseWriter, r *http.Request, d *Decision) {
	principal, err := a.bearer.Authenticate(r)
	if err != nil {
		d.Err, d.Status = err, connect.StatusOf(err)
		a.bearer.WriteRefusal(w, r, err)
		return
	}
	d.about(principal.Session)
	body, err := readJSON(w, r, "audience")
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	binding := session.Binding{Origin: r.Header.Get("Origin")}
	binding.Audience, _ = body.String("audience")
	if a.config.BindTicketAddress {
		binding.Address = a.config.ClientAddress(r)
	}
	a.issueTicket(w, r, d, binding)
}

func (a *API) issueTicket(w http.ResponseWriter, r *http.Request, d *Decision, binding session.Binding) {
	token, err := a.bearer.Token(r)
	if err != nil {
		d.Err, d.Status = err, connect.StatusOf(err)
		a.bearer.WriteRefusal(w, r, err)
		return
	}
	ticket, expires, err := a.config.Tickets.Issue(r.Context(), token, binding)
	if err != nil {
		d.Err, d.Status = err, connect.StatusOf(err)
		a.bearer.WriteRefusal(w, r, err)
		return
	}
	d.Allowed = true
	writeJSON(w, d, http.StatusOK, ticketResponse{ticket, expires.UTC()})
}

// serveRedeem takes {"ticket", "audience", "origin", "address"}: what the ticket was bound to must be there. The answer
// is the session in the form of introspection, without its token.
func (a *API) serveRedeem(w http.ResponseWriter, r *http.Request, d *Decision) {
	body, err := readJSON(w, r, "ticket", "audience", "origin", "address")
	if err != nil {
		writeProblem(w, d, statusOf(err), err.Error())
		return
	}
	ticket, _ := body.String("ticket")
	if ticket == "" {
		writeProblem(w, d, http.StatusBadRequest, noTicket)
		return
	}
	var binding session.Binding
	binding.Audience, _ = body.String("audience")
	binding.Origin, _ = body.String("origin")
	binding.Address, _ = body.String("address")
	s, _, err := a.config.Tickets.Redeem(r.Context(), ticket, binding)
	if err != nil {
		writeRefusal(w, d, err)
		return
	}
	d.about(s)
	d.Allowed = true
	writeJSON(w, d, http.StatusOK, describe(s))
}
