package app

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// readiness is the body of /readyz. Anyone may read it, so it holds no address and no error's text: those are in the log.
type readiness struct {
	Ready bool `json:"ready"`
	// NotReady says in words what is missing.
	NotReady []string `json:"not_ready,omitempty"`
	// Warnings say in words what fails but can still be done without.
	Warnings []string           `json:"warnings,omitempty"`
	Issuers  []issuerState      `json:"issuers"`
	Ledger   ledgerState        `json:"ledger"`
	Keys     []session.KeyState `json:"keys,omitempty"`
	// Sockets is how many are live, if there is a gate.
	Sockets *int `json:"sockets,omitempty"`
}

type issuerState struct {
	Name  string        `json:"name"`
	Realm string        `json:"realm"`
	Ready bool          `json:"ready"`
	Keys  []keySetState `json:"keys,omitempty"`
}

type keySetState struct {
	Ready     bool      `json:"ready"`
	Keys      int       `json:"keys"`
	Skipped   int       `json:"skipped"`
	Failures  int       `json:"failures"`
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	StaleAt   time.Time `json:"stale_at,omitzero"`
}

type ledgerState struct {
	Ready    bool                `json:"ready"`
	Failing  bool                `json:"failing"`
	Policy   session.StalePolicy `json:"policy"`
	Contact  time.Time           `json:"contact,omitzero"`
	Failures int                 `json:"failures"`
}

// readiness looks at everything that a request may need. Nothing is fetched for it.
func (a *App) readiness() readiness {
	var r readiness
	if a.drained.Err() != nil {
		r.missing("the server is shutting down")
	}
	for _, issuer := range a.current.Load().doors.Identities.State() {
		r.issuer(issuer)
	}
	r.ledger(a.ledger.State())
	if a.keys != nil {
		r.Keys = a.keys.State()
		if _, err := a.keys.Signer(); err != nil {
			r.missing("no key signs session tokens")
		}
	}
	if a.gate != nil {
		live := a.gate.registry.State().Live
		r.Sockets = &live
	}
	r.Ready = len(r.NotReady) == 0
	return r
}

func (r *readiness) missing(text string) { r.NotReady = append(r.NotReady, text) }

func (r *readiness) issuer(state identity.IssuerState) {
	issuer := issuerState{Name: state.Name, Realm: state.Realm, Ready: state.Ready}
	title := "the " + state.Name + " issuer of realm " + state.Realm
	if !state.Ready {
		r.missing(title + " has no usable keys")
	}
	for _, k := range state.Keys {
		issuer.Keys = append(issuer.Keys, keySetState{k.Ready, k.Keys, k.Skipped, k.Failures, k.FetchedAt, k.StaleAt})
		if k.Ready && k.Failures > 0 {
			r.Warnings = append(r.Warnings, title+" cannot be asked for keys: known keys go on serving until "+k.StaleAt.UTC().Format(time.RFC3339))
		}
	}
	r.Issuers = append(r.Issuers, issuer)
}

func (r *readiness) ledger(state session.LedgerState) {
	r.Ledger = ledgerState{state.Ready, state.Failing, state.Policy, state.Contact, state.Failures}
	switch {
	case !state.Ready:
		r.missing("the ledger of revocations is not up to date")
	case state.Failing:
		r.Warnings = append(r.Warnings, "the store cannot be reached: revocations go on with what is known")
	}
}

// readyz says whether requests can be sent here: 200, or 503 while something that they need is missing.
func (a *App) readyz(w http.ResponseWriter, _ *http.Request) {
	state := a.readiness()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(state) // the client may be gone
}

// livez says that the process serves. Restarting it helps against nothing that readyz reports.
func livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}
