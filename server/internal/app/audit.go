package app

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

// admission is the message of the one event that is logged for each decision.
const admission = "admission"

// decided logs what the HTTP API decided. What anyone may fetch is no decision.
func (a *App) decided(d tokenapi.Decision) {
	level := slog.LevelInfo
	if strings.HasPrefix(d.Endpoint, "/.well-known/") {
		level = slog.LevelDebug
	}
	a.admission(level, d.Endpoint, d.Allowed, d.Err, d.Elapsed,
		append(player(d.Player, d.PlayerID), text("session", d.Session), text("issuer", d.Issuer), text("caller", d.Caller), slog.Int("status", d.Status))...)
}

// photonDecided logs what Photon was answered.
func (a *App) photonDecided(_ context.Context, r photon.Result) {
	a.admission(slog.LevelInfo, pathPhoton, r.Code == photon.OK, r.Err, r.Took,
		text("player", r.UserID), slog.Int("result_code", int(r.Code)), text("answer", r.Message))
}

// Observer is told what a route of its own decided: where, for which session, and why not.
type Observer func(door string, s *session.Session, err error)

func (a *App) observe(door string, s *session.Session, err error) {
	var about []slog.Attr
	if s != nil {
		about = append(player(s.Player, s.PlayerID), text("session", s.ID), text("issuer", s.Issuer))
	}
	a.admission(slog.LevelInfo, door, err == nil, err, 0, about...)
}

// admission logs a decision of one of the doors whose errors have a reason.
func (a *App) admission(level slog.Level, door string, allowed bool, err error, took time.Duration, more ...slog.Attr) {
	a.decision(level, decision{door: door, allowed: allowed, reason: string(jws.ReasonOf(err)), err: err, took: took}, more...)
}

// decision is one that is logged and counted: at what door, whether it opened, if not why, and how long that took.
type decision struct {
	door    string
	allowed bool
	reason  string
	err     error
	took    time.Duration
}

func (a *App) decision(level slog.Level, d decision, more ...slog.Attr) {
	a.metrics.Decision(d.door, d.allowed, jws.Reason(d.reason))
	attrs := []slog.Attr{slog.String("door", d.door), slog.Bool("allowed", d.allowed)}
	if d.err != nil {
		problem := connect.ProblemOf(d.err)
		attrs = append(attrs, text("check", string(problem.Check)), text("reason", cmp.Or(d.reason, string(problem.Reason))), slog.Any("error", d.err))
	} else {
		attrs = append(attrs, text("reason", d.reason))
	}
	attrs = append(attrs, more...)
	if d.took > 0 {
		attrs = append(attrs, slog.Float64("ms", float64(d.took.Microseconds())/1000))
	}
	a.log.LogAttrs(context.Background(), level, admission, present(attrs...)...)
}

// present leaves out the attributes that have nothing to say.
func present(attrs ...slog.Attr) []slog.Attr {
	return slices.DeleteFunc(attrs, func(attr slog.Attr) bool { return attr.Equal(slog.Attr{}) })
}

func player(p identity.Player, id string) []slog.Attr {
	return []slog.Attr{text("player", id), text("realm", p.Realm), text("subject", p.Subject)}
}

// text is an attribute, or none if there is nothing to say.
func text(name, value string) slog.Attr {
	if value == "" {
		return slog.Attr{}
	}
	return slog.String(name, value)
}
