// Package metrics is what a running server tells Prometheus: counters that the server adds to, and states that are read when
// somebody asks.
//
//	m := metrics.New()
//	m.Decision("/oauth2/token", false, jws.Expired)
//	m.Watch(metrics.State{Ledger: ledger.State, …})
//	http.Serve(listener, m.Handler())
//
// Every value of a label comes from the program or from the configuration, never from a request: no player, session,
// address, token or path that a client chose. docs/operations.md has the list of names; a test holds it against this package.
package metrics

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// Path is where the metrics are.
const Path = "/metrics"

// Metrics are the metrics of one server. It is safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	calls     *prometheus.CounterVec
	took      *prometheus.HistogramVec
	reloads   *prometheus.CounterVec
	ended     *prometheus.CounterVec
	bytes     *prometheus.CounterVec
}

// New returns metrics that are all zero, and those of the process.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		decisions: counter("sallyport_decisions_total", "Decisions by door, by whether it opened, and if not by the refusal's reason.",
			"door", "allowed", "reason"),
		calls: counter("sallyport_store_calls_total", "Calls of the store by what was asked and whether the store could be had.", "call", "outcome"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sallyport_store_call_seconds", Help: "Time that calls of the store took, those that wait for news left out.",
			Buckets: []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"call"}),
		reloads: counter("sallyport_reloads_total", "Reloads of the configuration by outcome.", "outcome"),
		ended:   counter("sallyport_sockets_ended_total", "Sockets that ended, by route and reason.", "route", "reason"),
		bytes:   counter("sallyport_socket_bytes_total", "Bytes of the frames of sockets that ended, by route and sender.", "route", "from"),
	}
	m.registry.MustRegister(m.decisions, m.calls, m.took, m.reloads, m.ended, m.bytes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, outcome := range outcomes {
		m.reloads.WithLabelValues(outcome)
		for _, call := range calls {
			m.calls.WithLabelValues(call, outcome)
		}
	}
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// Handler answers at Path, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// reasons are what a decision may be counted under. A reason that is not here is "other", so that no error of ours can make
// a label of what a client sent.
var reasons = []jws.Reason{
	jws.Malformed, jws.AlgorithmRefused, jws.UnknownKey, jws.BadSignature, jws.Expired, jws.NotYetValid, jws.WrongIssuer,
	jws.WrongAudience, jws.WrongUse, jws.WrongType, jws.WrongClient, jws.MissingClaim, jws.WrongClaim, jws.WrongUser,
	jws.Revoked, jws.Banned, jws.Replayed, jws.Unavailable,
	connect.MissingToken, connect.InvalidRequest, connect.InsufficientScope, connect.WrongOrigin,
	// Package edge's own, for requests that no token is to blame for.
	"no_route", "blocked", "bad_target", "bad_host", "wrong_host", "origin_secret", "method", "parameter", "too_large", "slow_body",
	"bad_body", "upgrade_required", "bad_upgrade", "too_many", "slot_taken", "draining", "backend_down", "backend_broken",
	"backend_slow", "no_seat",
}

// Decision counts one decision at a door, whose name is of the program or of the configuration. The reason is that of a
// door that stayed closed.
func (m *Metrics) Decision(door string, allowed bool, reason jws.Reason) {
	if reason != "" && !slices.Contains(reasons, reason) {
		reason = "other"
	}
	word := "false"
	if allowed {
		word = "true"
	}
	m.decisions.WithLabelValues(door, word, string(reason)).Inc()
}

// closeReasons are what the end of a socket may be counted under, as reasons are for decisions.
var closeReasons = []connect.CloseReason{
	connect.CloseFinished, connect.CloseExpired, connect.CloseRevoked, connect.CloseBanned, connect.CloseReplaced,
	connect.CloseKicked, connect.CloseRefused, connect.CloseDraining, connect.CloseUnavailable, connect.CloseLapsed,
	connect.CloseBackendLost, connect.CloseSilent, connect.CloseSlow, connect.CloseIdle, connect.CloseFlooding,
}

// SocketEnded counts the end of a socket of a route, which the configuration names, and the bytes of its frames.
func (m *Metrics) SocketEnded(route string, reason connect.CloseReason, fromClient, fromBackend int64) {
	if !slices.Contains(closeReasons, reason) {
		reason = "other"
	}
	m.ended.WithLabelValues(route, string(reason)).Inc()
	m.bytes.WithLabelValues(route, "client").Add(float64(fromClient))
	m.bytes.WithLabelValues(route, "backend").Add(float64(fromBackend))
}

// Outcomes of calls and reloads.
const (
	outcomeOK    = "ok"
	outcomeError = "error"
)

var outcomes = []string{outcomeOK, outcomeError}

// Reload counts a reload.
func (m *Metrics) Reload(err error) {
	m.reloads.WithLabelValues(outcomeOf(err != nil)).Inc()
}

func outcomeOf(failed bool) string {
	if failed {
		return outcomeError
	}
	return outcomeOK
}

// callDone counts a call of the store that began at a time. That somebody else was first, or that there is no such thing, is
// no failure of the store, and neither is a caller who left.
func (m *Metrics) callDone(ctx context.Context, call string, began time.Time, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	m.calls.WithLabelValues(call, outcomeOf(errors.Is(err, session.ErrStoreUnavailable))).Inc()
	if call != callSince {
		m.took.WithLabelValues(call).Observe(time.Since(began).Seconds())
	}
}
