package app

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// readiness is the body of /readyz. It holds nothing secret.
type readiness struct {
	Ready bool `json:"ready"`
	// NotReady says in words what is missing.
	NotReady []string               `json:"not_ready,omitempty"`
	Issuers  []identity.IssuerState `json:"issuers"`
	Ledger   ledgerState            `json:"ledger"`
	Keys     []session.KeyState     `json:"keys,omitempty"`
}

type ledgerState struct {
	Ready     bool                `json:"ready"`
	Failing   bool                `json:"failing"`
	Policy    session.StalePolicy `json:"policy"`
	Contact   time.Time           `json:"contact,omitzero"`
	Failures  int                 `json:"failures"`
	LastError string              `json:"last_error,omitempty"`
}

// readiness looks at everything that a request may need. Nothing is fetched for it.
func (a *App) readiness() readiness {
	ledger := a.ledger.State()
	r := readiness{
		Issuers: a.current.Load().doors.Identities.State(),
		Ledger:  ledgerState{ledger.Ready, ledger.Failing, ledger.Policy, ledger.Contact, ledger.Failures, ledger.LastError},
	}
	if a.draining.Load() {
		r.NotReady = append(r.NotReady, "the server is shutting down")
	}
	for _, issuer := range r.Issuers {
		if !issuer.Ready {
			r.NotReady = append(r.NotReady, "the "+issuer.Name+" issuer of realm "+issuer.Realm+" has no usable keys")
		}
	}
	if !ledger.Ready {
		r.NotReady = append(r.NotReady, "the ledger of revocations is not up to date")
	}
	if a.keys != nil {
		r.Keys = a.keys.State()
		if _, err := a.keys.Signer(); err != nil {
			r.NotReady = append(r.NotReady, "no key signs session tokens")
		}
	}
	r.Ready = len(r.NotReady) == 0
	return r
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
