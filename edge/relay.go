package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
	"github.com/sallyport-auth/sallyport/internal/upstream"
)

// smallBody is the largest body that is read whole before the backend is asked. It goes with the head in one piece, and no
// goroutine is needed.
const smallBody = 16 << 10

// idempotent are the methods that may be sent again (RFC 9110 section 9.2.2).
var idempotent = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true, http.MethodPut: true, http.MethodDelete: true,
}

// relay sends the request to the backend and its answer to the client.
func (x *exchange) relay() {
	request, ok := x.request()
	if !ok {
		return
	}
	answer, err := x.route.pool.Do(x.r.Context(), request)
	if err != nil {
		x.refuseBackend(err)
		return
	}
	defer answer.Close()
	x.decision.Allowed = true
	x.answer(answer)
	if answer.Sending() {
		answer.Close()
		x.linger()
	}
}

// request makes the request for the backend. It returns false where the client's body was refused.
func (x *exchange) request() (*upstream.Request, bool) {
	r := &x.relayed
	*r = upstream.Request{
		Head: x.head(x.r.Method), Timeout: x.route.Timeout, HeadOnly: x.r.Method == http.MethodHead, Interim: x.interim,
		Retry: idempotent[x.r.Method],
	}
	length := x.r.ContentLength
	expects := x.r.Header["Expect"] != nil
	switch {
	case length == 0 || x.r.Body == nil || x.r.Body == http.NoBody:
		if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
			r.Head = upstream.AppendLength(r.Head, 0)
		}
	case length > 0 && length <= smallBody && !expects:
		r.Body = make([]byte, length)
		if _, err := io.ReadFull(x.body(), r.Body); err != nil {
			x.refuseBody(err)
			return nil, false
		}
		r.Head = upstream.AppendLength(r.Head, length)
	default:
		if !x.stream(r, expects) {
			return nil, false
		}
	}
	r.Head = append(r.Head, "\r\n"...)
	return r, true
}

// stream makes the body of a request one that is sent on as it comes. Its beginning is read before the backend is asked, so that
// chunks that are none, or a body that does not come, cost the backend nothing; a body that is whole by then goes with a length.
func (x *exchange) stream(r *upstream.Request, expects bool) bool {
	body, length := x.body(), x.r.ContentLength
	r.Source, r.Length, r.Abort = body, length, body.abort
	if expects {
		r.Expect = true
		r.Head = appendField(r.Head, "Expect", "100-continue")
	} else if !x.route.StreamBody {
		begin, whole, err := readBegin(body)
		switch {
		case err != nil:
			x.refuseBody(err)
			return false
		case whole && len(x.r.Trailer) == 0:
			r.Source, r.Body = nil, begin
			r.Head = upstream.AppendLength(r.Head, int64(len(begin)))
			return true
		}
		r.Source = io.MultiReader(bytes.NewReader(begin), body)
	}
	x.announceTrailer(r)
	r.Head = upstream.AppendLength(r.Head, length)
	return true
}

// readBegin reads the first bytes of a body, and whether these are all. Only io.EOF says so: the end of a connection in the middle
// of a chunk is another error, which io.ReadFull would not tell from a body that is short.
func readBegin(body io.Reader) (begin []byte, whole bool, err error) {
	begin = make([]byte, 0, smallBody)
	for len(begin) < smallBody {
		n, err := body.Read(begin[len(begin):smallBody])
		begin = begin[:len(begin)+n]
		if err != nil {
			return begin, err == io.EOF, unlessEOF(err)
		}
	}
	return begin, false, nil
}

func unlessEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// announceTrailer sends the client's trailer fields on, as far as it named them before (net/http keeps no others).
func (x *exchange) announceTrailer(r *upstream.Request) {
	if len(x.r.Trailer) == 0 || x.r.ContentLength >= 0 {
		return
	}
	var names []string
	for name := range x.r.Trailer {
		if x.isTrailer(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	r.Head = appendField(r.Head, "Trailer", strings.Join(names, ", "))
	r.Trailer = func() (fields []http1.Field) {
		for _, name := range names {
			for _, value := range x.r.Trailer[name] {
				fields = append(fields, http1.Field{Name: name, Value: value})
			}
		}
		return fields
	}
}

// isTrailer says whether a trailer field may be passed on: nothing that decides about the message (RFC 9110 section 6.5.1), and
// nothing that is the gate's to say.
func (x *exchange) isTrailer(name string) bool {
	switch name {
	case "Cookie", "Set-Cookie", "Content-Encoding", "Content-Type", "Content-Range", "Cache-Control":
		return false
	}
	return !hopByHop[name] && !x.gate.isReserved(name) && isHeaderName(name)
}

// isHeaderName says whether text is letters, digits and dashes.
func isHeaderName(text string) bool { return text != "" && strings.IndexFunc(text, isOdd) < 0 }

// errTooLarge says that a body without a length was too large.
var errTooLarge = errors.New("edge: the body is too large")

// clientBody reads the client's body: not more than the route takes, and no slower.
type clientBody struct {
	control *http.ResponseController
	body    io.Reader
	left    int64
	pause   time.Duration
	until   time.Time

	mu      sync.Mutex // for the deadline
	aborted bool
}

func (x *exchange) body() *clientBody {
	return &clientBody{control: http.NewResponseController(x.w), body: x.r.Body, left: x.route.MaxBody, pause: x.route.BodyTimeout}
}

// Read moves the deadline by whole seconds, as setting one costs more than looking at the clock.
func (b *clientBody) Read(p []byte) (int, error) {
	if until := time.Now().Add(b.pause); until.Sub(b.until) > time.Second {
		b.until = until
		if err := b.expect(until); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

func (b *clientBody) expect(until time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.aborted {
		return os.ErrDeadlineExceeded
	}
	return b.control.SetReadDeadline(until)
}

// abort makes a Read of the client's body return, because nobody wants the rest of it.
func (b *clientBody) abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aborted = true
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
}

// lingerTime is how long a client may take for the rest of a body that nobody wants: net/http reads some of it, so that the answer
// is not lost with the connection.
const lingerTime = 5 * time.Second

// linger bounds what net/http does after the answer. It sets no deadline of its own there.
func (x *exchange) linger() {
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(lingerTime))
}

// interim passes 103 (Early Hints) on; 100 is net/http's to send, when the body is read, and would come in the middle of a hint.
func (x *exchange) interim(status int, fields []http1.Field) {
	if status != http.StatusEarlyHints || x.r.Header["Expect"] != nil {
		return
	}
	header := x.w.Header()
	for _, f := range fields {
		if strings.EqualFold(f.Name, "Link") {
			header.Add("Link", f.Value)
		}
	}
	x.w.WriteHeader(status)
	header.Del("Link")
}

// answer sends the backend's answer to the client.
func (x *exchange) answer(a *upstream.Answer) {
	header := x.w.Header()
	copyAnswerHeaders(header, a)
	x.forbidStorage(header)
	x.decision.Status = a.Status
	x.mayWrite()
	if a.Sending() {
		// The client's body goes on, or is not wanted. net/http would read it here, past the backend, and what comes of it after
		// the answer is no request.
		_ = http.NewResponseController(x.w).EnableFullDuplex()
		if x.r.ProtoMajor == 1 {
			header.Set("Connection", "close")
		}
	}
	x.w.WriteHeader(a.Status)
	if err := x.copyBody(a); err != nil {
		// The head is sent: all that is left is not to end the answer as if it were whole.
		x.decision.Err, x.decision.Reason = err, "broken_off"
		a.Close()
		panic(http.ErrAbortHandler)
	}
	for _, f := range a.Trailer() {
		if name := textproto.CanonicalMIMEHeaderKey(f.Name); x.isTrailer(name) {
			header.Add(http.TrailerPrefix+name, f.Value)
		}
	}
}

// mayWrite gives the client time to take what comes next. Without it one that reads nothing would hold a connection for good.
func (x *exchange) mayWrite() {
	x.writing = time.Now()
	// What knows no deadlines, such as a recorder of a test, needs none.
	_ = http.NewResponseController(x.w).SetWriteDeadline(x.writing.Add(writeTimeout))
}

// mayGoOn is mayWrite for another piece of an answer.
func (x *exchange) mayGoOn() {
	if time.Since(x.writing) > time.Second {
		x.mayWrite()
	}
}

// forbidStorage keeps what a token opened out of shared caches, a CDN's first of all, unless the backend decided about it.
func (x *exchange) forbidStorage(header http.Header) {
	if x.route.guard != nil && header["Cache-Control"] == nil {
		header["Cache-Control"] = noStore
	}
}

var noStore = []string{"no-store"}

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// copyBody copies the answer. What has no length known before is sent on as it comes.
func (x *exchange) copyBody(a *upstream.Answer) error {
	buffer := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buffer)
	flusher, _ := x.w.(http.Flusher)
	if a.Length < 0 && flusher != nil && !a.More() {
		flusher.Flush() // whoever waits for events wants to know that they will come
	}
	for {
		n, err := a.Read(buffer[:])
		if n > 0 {
			x.mayGoOn()
			if _, err := x.w.Write(buffer[:n]); err != nil {
				return fmt.Errorf("edge: the client is gone: %w", err)
			}
			if a.Length < 0 && err == nil && !a.More() && flusher != nil {
				flusher.Flush()
			}
		}
		switch {
		case err == io.EOF:
			x.mayGoOn() // the end may come long after the last piece, and is written as well
			return nil
		case err != nil:
			return err
		}
	}
}

// refuseBody answers a body that could not be read.
func (x *exchange) refuseBody(err error) {
	x.decision.Err = err
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooLarge):
		x.refuse(tooLarge)
	case errors.As(err, &timeout) && timeout.Timeout():
		x.refuse(slowBody)
	default:
		x.refuse(badBody)
	}
}

// refuseBackend answers where the backend did not.
func (x *exchange) refuseBackend(err error) {
	x.decision.Err = err
	switch {
	case errors.Is(err, upstream.ErrSource):
		x.refuseBody(err)
	case errors.Is(err, context.Canceled):
		// The client is gone. 499 is what others log for it. Without a panic net/http would answer 200.
		x.decision.Status, x.decision.Reason = 499, "client_gone"
		panic(http.ErrAbortHandler)
	case errors.Is(err, upstream.ErrTimeout):
		x.refuse(backendSlow)
	case errors.Is(err, upstream.ErrDial):
		x.refuse(backendDown)
	default:
		x.refuse(backendBroken)
	}
}
