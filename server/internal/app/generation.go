package app

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// pathPhoton is where Photon asks, pathEvents where followers wait for news.
const (
	pathPhoton = "/v1/photon"
	pathEvents = "/v1/events"
)

// generation is what is made anew at every reload.
type generation struct {
	file    *config.File
	doors   *Doors
	issuer  *session.Issuer
	tickets *session.TicketOffice
	handler http.Handler
}

// closeBut closes what another generation, if there is one, does not have.
func (g *generation) closeBut(other *generation) { g.doors.closeBut(other.doorsOrNil()) }

func (g *generation) doorsOrNil() *Doors {
	if g == nil {
		return nil
	}
	return g.doors
}

// generation makes everything of a file but what lasts, and but the issuers that the generation before, which may be nil,
// has too.
func (a *App) generation(file *config.File, before *generation) (*generation, error) {
	doors, err := NewDoors(file, DoorsConfig{
		Ledger: a.ledger, Keys: a.keys, Client: a.options.Client, Now: a.options.Now, Logger: a.log, Before: before.doorsOrNil(),
	})
	if err != nil {
		return nil, err
	}
	g := &generation{file: file, doors: doors}
	if err := errors.Join(a.makeIssuer(g), a.makeTickets(g)); err != nil {
		g.closeBut(before)
		return nil, err
	}
	if g.handler, err = a.handler(g); err != nil {
		g.closeBut(before)
		return nil, err
	}
	return g, nil
}

func (a *App) makeIssuer(g *generation) (err error) {
	s := g.file.Sessions
	if s == nil {
		return nil
	}
	audiences := make([]session.Audience, len(s.Audiences))
	for i, audience := range s.Audiences {
		audiences[i] = session.Audience{Name: audience.Name, InsecureSecret: g.file.InsecureKeys}
		if audience.Secret != "" {
			audiences[i].Secret = audience.Secret.Bytes()
		}
	}
	g.issuer, err = session.NewIssuer(session.IssuerConfig{
		Issuer: g.file.Issuer, Audiences: audiences, Keys: a.keys, Ledger: a.ledger, Families: a.store,
		Identities: g.doors.Identities, Realms: g.file.Realms(), TokenLifetime: time.Duration(s.TokenLifetime),
		SessionLifetime: time.Duration(s.SessionLifetime), RepeatWindow: time.Duration(s.RepeatWindow), Now: a.options.Now,
	})
	if err != nil {
		return g.file.Problem("sessions", err)
	}
	return nil
}

func (a *App) makeTickets(g *generation) (err error) {
	g.tickets, err = session.NewTicketOffice(session.TicketConfig{
		Store: a.store, Verifier: g.doors.Sessions, TTL: time.Duration(g.file.Tickets.Lifetime), Now: a.options.Now,
	})
	if err != nil {
		return g.file.Problem("tickets", err)
	}
	return nil
}

// handler mounts everything.
func (a *App) handler(g *generation) (http.Handler, error) {
	api, err := a.api(g)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api.Handler())
	mux.Handle(pathEvents, a.untilEnded(api.Handler()))
	mux.HandleFunc("GET /livez", livez)
	mux.HandleFunc("GET /readyz", a.readyz)
	if err := a.mountPhoton(mux, g); err != nil {
		return nil, err
	}
	if a.options.Routes == nil {
		return mux, nil
	}
	routes, err := a.options.Routes(g.doors.Sessions, a.observe)
	if err != nil {
		return nil, err
	}
	for pattern, handler := range routes {
		mux.Handle(pattern, handler)
	}
	return mux, nil
}

func (a *App) api(g *generation) (*tokenapi.API, error) {
	forward, err := forwardAuth(g)
	if err != nil {
		return nil, g.file.Problem("verify", err)
	}
	c := tokenapi.Config{
		Issuer: g.file.Issuer, Realms: g.file.Realms(), Verifiers: g.doors.verifiers, Ledger: a.ledger, Sessions: g.issuer,
		Keys: a.keys, Tickets: g.tickets, Forward: forward, Callers: callers(g.file),
		Origins: g.file.CORS.Origins, Observe: a.decided,
	}
	if a.gate != nil {
		c.Sockets, c.Renewed = a.gate.sockets, a.gate.renewals.renewed
	}
	if slices.ContainsFunc(g.file.Issuers, func(i config.Issuer) bool { return i.Preset.TakesLogouts() }) {
		c.Logouts = g.doors.Identities
	}
	for i := range g.file.ClerkWebhooks {
		webhook, err := g.file.Webhook(i)
		if err != nil {
			return nil, g.file.Problem("clerk_webhooks", err)
		}
		c.ClerkWebhooks = append(c.ClerkWebhooks, webhook)
	}
	api, err := tokenapi.New(c)
	if err != nil {
		return nil, g.file.Problem("", err)
	}
	return api, nil
}

func callers(file *config.File) []tokenapi.Caller {
	all := make([]tokenapi.Caller, len(file.Callers))
	for i, c := range file.Callers {
		all[i] = tokenapi.Caller{ID: c.ID, SecretHashes: c.SecretHashes}
		for _, secret := range c.Secrets {
			all[i].Secrets = append(all[i].Secrets, string(secret.Bytes()))
		}
		for _, word := range c.May {
			all[i].May = append(all[i].May, tokenapi.Permission(word))
		}
	}
	return all
}

// forwardAuth makes the guard of /verify.
func forwardAuth(g *generation) (*tokenapi.ForwardAuth, error) {
	v := g.file.Verify
	if v == nil {
		return nil, nil
	}
	c := connect.Config{Sources: sources(v, g.tickets)}
	if v.Tokens != "identity" {
		c.Sessions = g.doors.Sessions
	}
	if v.Tokens != "session" {
		c.Identities = g.doors.Checked
	}
	if v.Tokens == "both" {
		c.SessionIssuer = g.file.Issuer
	}
	guard, err := connect.New(c)
	if err != nil {
		return nil, err
	}
	forward := &tokenapi.ForwardAuth{Proxy: tokenapi.Proxy(v.Proxy), Guard: guard, AllowAnonymous: v.AllowAnonymous}
	if len(v.AnyGroup) > 0 {
		groups := make([]connect.Rule, len(v.AnyGroup))
		for i, name := range v.AnyGroup {
			groups[i] = connect.Group(name)
		}
		forward.Rules = []connect.Rule{connect.AnyOf(groups...)}
	}
	return forward, nil
}

func sources(v *config.ForwardAuth, tickets *session.TicketOffice) []connect.Source {
	all := []connect.Source{connect.Bearer()}
	if v.Query != "" {
		all = append(all, connect.Query(v.Query))
	}
	if v.Ticket != "" {
		all = append(all, connect.Ticket(connect.TicketConfig{Name: v.Ticket, Redeemer: tickets}))
	}
	if v.Cookie != nil {
		all = append(all, connect.Cookie(connect.CookieConfig{Name: v.Cookie.Name, Origins: v.Cookie.Origins}))
	}
	return all
}

func (a *App) mountPhoton(mux *http.ServeMux, g *generation) error {
	p := g.file.Photon
	if p == nil {
		return nil
	}
	c := photon.Config{
		SecretName: p.SecretName, InsecureNoSecret: p.InsecureNoSecret, TokenName: p.TokenName,
		UserID: photon.UserIDForm(p.UserID), SingleRealm: len(g.file.Realms()) == 1, NoNickname: p.NoNickname,
		OnResult: a.photonDecided,
	}
	for _, secret := range p.Secrets {
		c.Secrets = append(c.Secrets, string(secret.Bytes()))
	}
	if p.Tokens != "identity" {
		c.Sessions = g.doors.Sessions
	}
	if p.Tokens != "session" {
		c.Identities, c.Revocations = g.doors.Identities, a.ledger
	}
	handler, err := photon.New(c)
	if err != nil {
		return g.file.Problem("photon", err)
	}
	mux.Handle(pathPhoton, handler)
	return nil
}
