package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// State is where the states are read from. Each function is called when somebody asks for the metrics, and must not wait.
type State struct {
	// Ledger is the state of the ledger of revocations. Required.
	Ledger func() session.LedgerState
	// Issuers are the states of the issuers, in the order of the configuration. Required.
	Issuers func() []identity.IssuerState
	// Signs says whether a key signs session tokens. Nil if none needs to.
	Signs func() bool
	// Sockets is the state of the registry of sockets. Nil without one.
	Sockets func() connect.RegistryState
	// Draining says that the server is shutting down. Required.
	Draining func() bool
}

// Watch adds the states. It is called once.
func (m *Metrics) Watch(s State) { m.registry.MustRegister(states{s}) }

type states struct {
	State
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	ledgerReady   = desc("sallyport_ledger_ready", "1 while the ledger of revocations answers checks, 0 while the stale policy refuses them.")
	ledgerFailing = desc("sallyport_ledger_failing", "1 while the store cannot be reached.")
	ledgerStale   = desc("sallyport_ledger_staleness_seconds", "How long ago the ledger was last up to date.")
	ledgerEntries = desc("sallyport_ledger_entries", "What the ledger holds, by kind.", "kind")
	ledgerResets  = desc("sallyport_ledger_resets_total", "How often the ledger was read from the beginning.")
	issuerReady   = desc("sallyport_issuer_ready", "1 while an issuer's tokens can be verified. Entry is its place in the configuration.", "entry", "issuer", "realm")
	keySetFailing = desc("sallyport_issuer_key_fetch_failures", "Fetches of an issuer's keys that failed since the last good one.", "entry", "issuer", "realm")
	keySetKeys    = desc("sallyport_issuer_keys", "Usable keys of an issuer.", "entry", "issuer", "realm")
	keySetStale   = desc("sallyport_issuer_keys_stale_timestamp_seconds", "When an issuer's keys stop serving unless a fetch succeeds, as Unix time.", "entry", "issuer", "realm")
	signs         = desc("sallyport_signing_key", "1 while a key signs session tokens.")
	socketsLive   = desc("sallyport_sockets", "Live sockets of this node.")
	socketsEnding = desc("sallyport_sockets_closing", "Sockets that are being closed.")
	socketsOpened = desc("sallyport_sockets_admitted_total", "Sockets that were admitted.")
	draining      = desc("sallyport_draining", "1 once the server is shutting down.")
)

// Describe names the states, which are the same at any time.
func (s states) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ledgerReady, ledgerFailing, ledgerStale, ledgerEntries, ledgerResets, issuerReady, keySetFailing, keySetKeys, keySetStale,
		signs, socketsLive, socketsEnding, socketsOpened, draining,
	} {
		ch <- d
	}
}

// Collect reads the states.
func (s states) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	s.ledger(gauge, count)
	for i, issuer := range s.Issuers() {
		keys(gauge, issuer, strconv.Itoa(i), issuer.Name, issuer.Realm)
	}
	if s.Signs != nil {
		gauge(signs, truth(s.Signs()))
	}
	if s.Sockets != nil {
		s.sockets(gauge, count)
	}
	gauge(draining, truth(s.Draining()))
}

// send sends one value.
type send func(d *prometheus.Desc, v float64, labels ...string)

func (s states) ledger(gauge, count send) {
	l := s.Ledger()
	gauge(ledgerReady, truth(l.Ready))
	gauge(ledgerFailing, truth(l.Failing))
	gauge(ledgerStale, l.Age.Seconds())
	count(ledgerResets, float64(l.Resets))
	for kind, n := range map[string]int{
		"sessions": l.Sessions, "sign_outs": l.SignOuts, "upstreams": l.Upstreams, "cut_offs": l.CutOffs, "bans": l.Bans, "aliases": l.Aliases,
	} {
		gauge(ledgerEntries, float64(n), kind)
	}
}

// keys sends the sums over an issuer's key sets, of which nearly all have one.
func keys(gauge send, issuer identity.IssuerState, labels ...string) {
	gauge(issuerReady, truth(issuer.Ready), labels...)
	if len(issuer.Keys) == 0 {
		return
	}
	n, failures, stale := 0, 0, issuer.Keys[0].StaleAt
	for _, k := range issuer.Keys {
		n, failures = n+k.Keys, failures+k.Failures
		if k.StaleAt.Before(stale) {
			stale = k.StaleAt
		}
	}
	gauge(keySetKeys, float64(n), labels...)
	gauge(keySetFailing, float64(failures), labels...)
	if !stale.IsZero() {
		gauge(keySetStale, float64(stale.Unix()), labels...)
	}
}

func (s states) sockets(gauge, count send) {
	r := s.Sockets()
	gauge(socketsLive, float64(r.Live))
	gauge(socketsEnding, float64(r.Closing))
	count(socketsOpened, float64(r.Admitted))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
