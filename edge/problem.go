package edge

import (
	"encoding/json"
	"net/http"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

// refusal is an answer of the gate's own. Its texts are fixed.
type refusal struct {
	status int
	reason jws.Reason
	detail string
}

// What the gate answers by itself, besides what package connect says about tokens.
var (
	noRoute       = refusal{http.StatusForbidden, "no_route", "Nothing is served at this path."}
	blocked       = refusal{http.StatusForbidden, "blocked", "This path is closed."}
	badTarget     = refusal{http.StatusBadRequest, "bad_target", "The request target is not a plain path. Send it without dot segments, double slashes and needless encodings."}
	badVersion    = refusal{http.StatusHTTPVersionNotSupported, "version", "This version of HTTP is not spoken here."}
	badHost       = refusal{http.StatusBadRequest, "bad_host", "The Host header is not a host."}
	wrongHost     = refusal{http.StatusMisdirectedRequest, "wrong_host", "This host is not served here."}
	noOriginProof = refusal{http.StatusForbidden, "origin_secret", "Requests are only taken from the front of this service."}
	wrongMethod   = refusal{http.StatusMethodNotAllowed, "method", "This path does not take this method."}
	badParameter  = refusal{http.StatusForbidden, "parameter", "A query parameter is not allowed here."}
	tooLarge      = refusal{http.StatusRequestEntityTooLarge, "too_large", "The request body is larger than this path takes."}
	slowBody      = refusal{http.StatusRequestTimeout, "slow_body", "The request body did not come in time."}
	badBody       = refusal{http.StatusBadRequest, "bad_body", "The request body is not what this path takes."}
	needsUpgrade  = refusal{http.StatusUpgradeRequired, "upgrade_required", "This path takes WebSockets of version 13 alone."}
	badUpgrade    = refusal{http.StatusBadRequest, "bad_upgrade", "The request is no WebSocket handshake, or may not be one here."}
	wrongOrigin   = refusal{http.StatusForbidden, connect.WrongOrigin, "Sockets may not be opened from this origin."}
	tooMany       = refusal{http.StatusTooManyRequests, "too_many", "Too many handshakes come from this address. Try again later."}
	slotTaken     = refusal{http.StatusConflict, "slot_taken", "The player is connected already."}
	drained       = refusal{http.StatusServiceUnavailable, "draining", "This server is going away. Try again at once."}
	cannotTell    = refusal{http.StatusServiceUnavailable, jws.Unavailable, "This cannot be judged at the moment. Try again."}
	backendDown   = refusal{http.StatusBadGateway, "backend_down", "The game server cannot be reached."}
	backendBroken = refusal{http.StatusBadGateway, "backend_broken", "The game server gave no proper answer."}
	backendSlow   = refusal{http.StatusGatewayTimeout, "backend_slow", "The game server did not answer in time."}
	noUsername    = refusal{http.StatusForbidden, "username", "The username cannot be changed here."}
	noSeat        = refusal{http.StatusForbidden, "no_seat", "The player has no seat in this room. Join it again."}
)

// refuse answers and notes the decision.
func (x *exchange) refuse(because refusal) {
	x.decision.Status, x.decision.Reason = because.status, string(because.reason)
	header := x.w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if because.status == http.StatusServiceUnavailable || because.status == http.StatusTooManyRequests {
		header.Set("Retry-After", "5")
	}
	x.beforeRefusal()
	body, _ := json.Marshal(connect.Problem{
		Type: "urn:sallyport:refusal:" + string(because.reason), Title: http.StatusText(because.status), Status: because.status,
		Detail: because.detail, Reason: because.reason,
	})
	x.w.WriteHeader(because.status)
	if x.r.Method != http.MethodHead {
		// The client may be gone; there is nobody left to tell.
		_, _ = x.w.Write(append(body, '\n'))
	}
}

// refuseToken answers as package connect does.
func (x *exchange) refuseToken(err error) {
	x.decision.Status, x.decision.Err = connect.StatusOf(err), err
	x.decision.Reason = string(connect.ProblemOf(err).Reason)
	x.beforeRefusal()
	x.route.guard.WriteRefusal(x.w, x.r, err)
}

// beforeRefusal is done before every answer of the gate's own.
func (x *exchange) beforeRefusal() {
	x.mayWrite()
	x.endConnection()
	x.letPageRead()
}

// letPageRead lets the page that asked read a refusal, which holds nothing of anybody's. Without it a browser shows a script
// that something failed, and not that its token expired.
func (x *exchange) letPageRead() {
	if x.route != nil && x.route.Preflight && len(x.r.Header["Origin"]) == 1 {
		header := x.w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	}
}

// endConnection ends the client's connection with the answer where something may still come on it that was not read.
func (x *exchange) endConnection() {
	if x.r.ProtoMajor == 1 && (x.r.ContentLength != 0 || x.upgrade || x.r.Header["Upgrade"] != nil) {
		x.w.Header().Set("Connection", "close")
		x.linger()
	}
}
