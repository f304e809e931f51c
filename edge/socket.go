package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/downstream"
	"github.com/sallyport-auth/sallyport/internal/upstream"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// live is a socket from its admission to its end. It is admitted before the backend is asked: the backend gets the fencing
// number with the handshake, and two sockets of one player that come at once are told apart before either is open. Once it is
// open it keeps nothing of the request alive: there may be many, and they are idle most of the time.
type live struct {
	gate   *Gate
	route  *route
	socket *connect.Socket

	mu    sync.Mutex
	pipe  *wsrelay.Pipe
	early *early // nil once there is a pipe
	gone  sync.WaitGroup
}

// early is what comes before there is a pipe.
type early struct {
	closing *connect.Closing
	notice  []byte
	cancel  func() // ends the handshake
}

// openSocket carries the upgrade of a verified player.
func (x *exchange) openSocket() {
	if door, ok := x.route.special.(opener); ok {
		if because, ok := door.mayOpen(x); !ok {
			x.refuse(because)
			return
		}
	}
	ctx, cancel, done := x.abortable()
	defer done()
	l := &live{gate: x.gate, route: x.route, early: &early{cancel: cancel}}
	l.gone.Add(1)
	slot := connect.Slot{Route: x.route.Name}
	if x.route.Socket.Slot != "" {
		slot.Name = x.route.pattern.segmentOf(x.path, x.route.Socket.Slot)
	}
	var err error
	l.socket, err = x.gate.config.Registry.Admit(ctx, x.session(), slot, connect.Hooks{Close: l.close, Notice: l.noticeFunc()})
	if err != nil {
		x.refuseSocket(err)
		return
	}
	opened := false
	defer func() { // also where an answer breaks off with a panic
		if !opened {
			l.socket.Release()
			l.gone.Done()
		}
	}()
	opened = x.handshake(ctx, l)
}

// abortable returns the context of a handshake, what ends it, and what to do when it is over. Our own server's can be ended as it
// is, and needs no timer: the store, dialling and the backend's answer have bounds of their own.
func (x *exchange) abortable() (ctx context.Context, abort, done func()) {
	if own, ok := x.r.Context().(interface {
		context.Context
		End()
	}); ok {
		return own, own.End, func() {}
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), x.route.Timeout)
	return ctx, cancel, cancel
}

// session returns the session of the player, for an identity token one that lasts as long as the token does, and ends with the
// issuer's session.
func (x *exchange) session() *session.Session {
	if x.principal.Session != nil {
		return x.principal.Session
	}
	id := x.principal.Identity
	return &session.Session{
		Player: id.Player, PlayerID: id.Player.ID(x.gate.singleRealm), UserID: id.Player.ID(x.gate.singleRealm),
		ID: "identity:" + session.UpstreamOf(id), TokenID: id.TokenID, Issuer: id.Issuer, ClientID: id.ClientID, Username: id.Username,
		Upstream: session.UpstreamOf(id), IssuedAt: id.IssuedAt, AuthTime: id.AuthTime, IdentityIssuedAt: id.IssuedAt, Expiry: id.Expiry,
	}
}

// close is the registry's hook. It returns when the connection is gone.
func (l *live) close(c connect.Closing) {
	l.mu.Lock()
	if l.pipe != nil {
		l.pipe.Close(c)
	} else {
		l.early.closing = &c
		l.early.cancel()
	}
	l.mu.Unlock()
	l.gone.Wait()
}

// noticeFunc returns the registry's hook for a session that will expire, nil if the route has no text for it.
func (l *live) noticeFunc() func(time.Time) {
	if l.route.notice == nil {
		return nil
	}
	return func(at time.Time) {
		left := int(at.Sub(l.gate.config.Now()).Round(time.Second).Seconds())
		text := strings.Join(l.route.notice, strconv.Itoa(max(left, 0)))
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.pipe == nil {
			l.early.notice = []byte(text)
			return
		}
		l.pipe.Notice([]byte(text))
	}
}

// handshake asks the backend, answers the client, and hands both to the relay. It returns false where no socket came of it.
func (x *exchange) handshake(ctx context.Context, l *live) bool {
	offer := x.offer()
	head := appendField(x.head(http.MethodGet), HeaderFence, strconv.FormatUint(l.socket.Fence(), 10))
	head = append(offer.append(head), "\r\n"...)
	answer, err := x.route.pool.Do(ctx, &upstream.Request{Head: head, Timeout: x.route.Timeout, Upgrade: true, Retry: true})
	if err != nil {
		x.refuseHandshake(l, err)
		return false
	}
	defer answer.Close()
	x.decision.Allowed = true
	if answer.Status != http.StatusSwitchingProtocols {
		x.w.Header().Set("Connection", "close")
		x.decision.Reason = "backend_refused"
		x.answer(answer)
		return false
	}
	got, ok := offer.agree(answer)
	if !ok {
		x.refuse(backendBroken)
		return false
	}
	return x.join(l, offer.switching(got, answer.Fields), got, answer)
}

// refuseHandshake tells a client why its socket ended before it was open.
func (x *exchange) refuseHandshake(l *live, err error) {
	l.mu.Lock()
	closing := l.early.closing
	l.mu.Unlock()
	switch {
	case closing != nil:
		x.decision.Err, x.decision.Reason = err, string(closing.Reason)
		x.decision.Status = http.StatusServiceUnavailable
		x.closeAtOnce(*closing)
	case errors.Is(err, context.DeadlineExceeded):
		x.decision.Err = err
		x.refuse(backendSlow)
	default:
		x.refuseBackend(err)
	}
}

// join hands both connections to the relay.
func (x *exchange) join(l *live, head []byte, got agreed, answer *upstream.Answer) bool {
	client, early, err := hijack(x.w)
	if err != nil {
		x.decision.Err = err
		x.refuse(badUpgrade)
		return false
	}
	backend, first, err := answer.Hijack()
	if err == nil {
		_ = client.SetWriteDeadline(time.Now().Add(settle * 10))
		_, err = client.Write(head)
		_ = client.SetDeadline(time.Time{})
	}
	if err != nil {
		x.decision.Err, x.decision.Status, x.decision.Reason = err, 499, "client_gone"
		_ = client.Close()
		_ = backend.Close()
		return false
	}
	x.decision.Status = http.StatusSwitchingProtocols
	return x.carry(l, wsrelay.Half{Conn: client, Buffered: early}, wsrelay.Half{Conn: backend, Buffered: first}, got)
}

func (x *exchange) carry(l *live, client, backend wsrelay.Half, got agreed) bool {
	if got.compressed {
		client.RSV, backend.RSV = wsframe.RSV1, wsframe.RSV1
	}
	l.gate.sockets.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	pipe, err := x.gate.loop.Relay(client, backend, x.route.policy, l.ended)
	if err != nil {
		l.gate.sockets.Add(-1)
		x.decision.Err, x.decision.Reason = err, "relay"
		_ = client.Conn.Close()
		_ = backend.Conn.Close()
		return false
	}
	before := l.early
	l.pipe, l.early = pipe, nil
	if before.notice != nil {
		pipe.Notice(before.notice)
	}
	if before.closing != nil {
		pipe.Close(*before.closing)
	}
	return true
}

// ended is told by the relay that both connections are gone.
func (l *live) ended(o wsrelay.Outcome) {
	l.gate.sockets.Add(-1)
	reason, ok := l.socket.Ended()
	if !ok {
		reason = o.Reason
	}
	l.socket.ReleaseFor(reason)
	l.gone.Done()
	if l.gate.config.ObserveSocket != nil {
		was := l.socket.Info()
		l.gate.config.ObserveSocket(SocketEnd{
			Route: l.route.Name, Reason: reason, Player: was.Player, Session: was.Session, Elapsed: l.gate.config.Now().Sub(was.Admitted),
			FromClient: int64(o.FromClient.Bytes), FromBackend: int64(o.FromBackend.Bytes),
		})
	}
}

// hijack takes the client's connection out of its server, with what came behind the handshake already.
func hijack(w http.ResponseWriter) (net.Conn, []byte, error) {
	if own, ok := w.(*downstream.Response); ok {
		return own.Take()
	}
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early := make([]byte, buffers.Reader.Buffered())
	_, _ = io.ReadFull(buffers.Reader, early)
	return conn, early, nil
}

// refuseSocket refuses an upgrade. A script in a browser sees nothing of a refused handshake, and some SDKs come back with the
// same URL and the spent ticket in it, again and again. So what the player can act on is told by opening the socket and closing
// it, with the code that says what to do next. Nothing of it reaches the backend.
func (x *exchange) refuseSocket(err error) {
	x.decision.Err = err
	x.decision.Status = connect.StatusOf(err)
	x.decision.Reason = string(connect.CloseReasonOf(err))
	reason, told := closeReason(err)
	if told && x.tellsByClose() {
		x.closeAtOnce(x.route.Socket.Profile.Closing(reason))
		return
	}
	switch {
	case errors.Is(err, connect.ErrSlotTaken):
		x.refuse(slotTaken)
	case errors.Is(err, connect.ErrDraining):
		x.refuse(drained)
	case jws.ReasonOf(err) == "":
		x.refuse(cannotTell)
	default:
		x.refuseToken(err)
	}
}

// tellsByClose says whether this client is told by a close frame. One that sends an Authorization header is a program that sees
// the status of the answer.
func (x *exchange) tellsByClose() bool {
	switch x.route.Socket.RefuseByClose {
	case Yes:
		return true
	case No:
		return false
	}
	return x.r.Header["Authorization"] == nil
}

// closeReason returns how a refusal is told on a socket, and false where only the answer to the handshake will do: the request
// itself was wrong.
func closeReason(err error) (connect.CloseReason, bool) {
	reason := connect.CloseReasonOf(err)
	if reason != connect.CloseRefused {
		return reason, true
	}
	token := jws.ReasonOf(err)
	if connect.StatusOf(err) != http.StatusUnauthorized || token == connect.MissingToken {
		return reason, false
	}
	// A token or ticket that will never do, a spent ticket first of all: another one may.
	return connect.CloseExpired, true
}

// closeAtOnce opens the client's socket and closes it.
func (x *exchange) closeAtOnce(c connect.Closing) {
	offer := x.offer()
	var got agreed
	if len(offer.protocols) > 0 {
		got.protocol = offer.protocols[0] // or a browser fails the handshake
	}
	client, _, err := hijack(x.w)
	if err != nil {
		x.refuse(badUpgrade)
		return
	}
	defer func() { _ = client.Close() }()
	_ = client.SetDeadline(time.Now().Add(settle))
	frame := wsframe.AppendFrame(offer.switching(got, nil), wsframe.Header{Final: true, Opcode: wsframe.Close}, wsframe.AppendClose(nil, c.Code, c.Text))
	if _, err := client.Write(frame); err != nil {
		return
	}
	if half, ok := client.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	// Until the client's own close came: closing before would reset the connection, and the client would not see why.
	_, _ = io.Copy(io.Discard, io.LimitReader(client, 64<<10))
}
