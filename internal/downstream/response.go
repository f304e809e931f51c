package downstream

import (
	"bufio"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/internal/http1"
)

// room is how much of an answer is kept before it is sent. An answer that is smaller goes in one piece, with its length.
const room = 4 << 10

// Response is the writer of a handler. Besides http.ResponseWriter it is what http.ResponseController asks for.
type Response struct {
	c       *conn
	header  http.Header
	mu      sync.Mutex // for what is written beside the answer: 100 Continue
	dating  sync.Mutex // for the write deadline, which is set beside a Write
	status  int
	began   bool  // the head was sent
	chunked bool  // the body goes in chunks
	length  int64 // that the handler declared, -1 for none
	written int64
	taken   bool // the connection is not the server's any more
	named   int  // how many of the headers were for the head
	dated   bool // a write deadline was set for this answer
	upgrade bool // the head has an Upgrade field
	failed  error
	head    []byte // up to what says how the body ends
	pending []byte // the body that was not sent
}

func (w *Response) reset() {
	clear(w.header)
	w.status, w.began, w.chunked, w.length, w.written, w.dated, w.failed = 0, false, false, -1, 0, false, nil
	w.head, w.pending = w.head[:0], w.pending[:0]
}

// Header returns the headers of the answer, which are sent as they are at WriteHeader; after it, those whose names begin with
// http.TrailerPrefix are for the trailer section.
func (w *Response) Header() http.Header { return w.header }

// WriteHeader begins the answer. One of 1xx but 101 is sent at once and may be followed by others.
func (w *Response) WriteHeader(status int) {
	if w.taken || w.status != 0 {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if w.c.request.ProtoMinor > 0 { // HTTP/1.0 knows none (RFC 9110 section 15.2)
			w.interim(status)
		}
		return
	}
	w.status = status
	w.c.body.asks.Store(false) // who answers first wants no body
	if values := w.header["Content-Length"]; len(values) == 1 {
		if n, ok := http1.ParseLength(values[0]); ok && !bodiless(status) {
			w.length = n
		}
	}
	w.head = w.appendHead(w.head[:0], status)
}

func bodiless(status int) bool {
	return status < 200 || status == http.StatusNoContent
}

func (w *Response) interim(status int) {
	if status == http.StatusContinue {
		w.c.body.asks.Store(false)
	}
	head := append(w.appendHead(nil, status), "\r\n"...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.boundDeadline()
	_, w.failed = w.c.net.Write(head)
}

// sendContinue tells the client to send the body that it announced (RFC 9110 section 10.1.1).
func (w *Response) sendContinue() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began {
		return nil
	}
	w.boundDeadline()
	_, err := w.c.net.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	return err
}

// appendHead appends the status line and the handler's headers.
func (w *Response) appendHead(head []byte, status int) []byte {
	head = append(head, w.c.request.Proto...)
	head = append(head, ' ')
	head = strconv.AppendInt(head, int64(status), 10)
	head = append(head, ' ')
	head = append(head, http.StatusText(status)...)
	head = append(head, "\r\n"...)
	w.named, w.upgrade = len(w.header), w.header["Upgrade"] != nil
	for name, values := range w.header {
		switch {
		case name == "Connection":
			w.c.last = w.c.last || slices.ContainsFunc(values, func(v string) bool { return http1.HasToken(v, "close") })
			continue
		case name == "Content-Length" && (w.length < 0 && status != http.StatusNotModified || bodiless(status)), name == "Transfer-Encoding":
			continue
		case !http1.IsToken(name):
			w.named--
			continue
		}
		for _, value := range values {
			head = appendField(head, name, value)
		}
	}
	if status >= 200 && w.header["Date"] == nil {
		head = appendField(head, "Date", w.c.server.dateAt(time.Now()))
	}
	return head
}

func appendField(head []byte, name, value string) []byte {
	if !http1.IsFieldValue(value) {
		value = strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f {
				return ' '
			}
			return c
		}, value)
	}
	head = append(append(head, name...), ": "...)
	return append(append(head, value...), "\r\n"...)
}

// Write writes the body. It returns http.ErrBodyNotAllowed where there is none and http.ErrContentLength beyond the length that
// was declared.
func (w *Response) Write(p []byte) (int, error) {
	if w.taken {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case bodiless(w.status) || w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(len(p)) > w.length:
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	if w.c.request.Method == http.MethodHead {
		return len(p), nil
	}
	if len(w.pending)+len(p) <= room {
		w.pending = append(w.pending, p...)
		return len(p), nil
	}
	if err := w.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send sends what is pending and p.
func (w *Response) send(p []byte) error {
	if w.failed != nil {
		return w.failed
	}
	if !w.began && w.length < 0 && !w.isEmpty() {
		w.chunked = w.c.request.ProtoMinor > 0
		w.c.last = w.c.last || !w.chunked
	}
	out, end := w.begin(), ""
	if size := len(w.pending) + len(p); size > 0 && w.chunked {
		out, end = append(strconv.AppendInt(out, int64(size), 16), "\r\n"...), "\r\n"
	}
	out = append(out, w.pending...)
	w.pending = w.pending[:0]
	w.flush(out, p, end)
	return w.failed
}

// isEmpty says that the answer has no body whatever is written.
func (w *Response) isEmpty() bool {
	return bodiless(w.status) || w.status == http.StatusNotModified || w.c.request.Method == http.MethodHead
}

// begin returns the head if it was not sent yet, with what says how the body ends.
func (w *Response) begin() []byte {
	head := w.head
	if w.began {
		return head[:0]
	}
	if w.chunked {
		head = append(head, "Transfer-Encoding: chunked\r\n"...)
	}
	w.c.last = w.c.last || !w.c.body.whole.Load()
	switch {
	case w.c.last && w.upgrade: // who sends Upgrade must name it (RFC 9110 section 7.8)
		head = append(head, "Connection: close, Upgrade\r\n"...)
	case w.c.last:
		head = append(head, "Connection: close\r\n"...)
	case w.upgrade:
		head = append(head, "Connection: Upgrade\r\n"...)
	}
	return append(head, "\r\n"...)
}

// flush writes in one piece what is short, and else in one call.
func (w *Response) flush(out, p []byte, end string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = true
	w.dropDeadline()
	if len(p) > room {
		pieces := net.Buffers{out, p, []byte(end)}
		_, w.failed = pieces.WriteTo(w.c.net)
		w.head = out[:0]
		return
	}
	out = append(append(out, p...), end...)
	if len(out) > 0 {
		_, w.failed = w.c.net.Write(out)
	}
	w.head = out[:0]
}

// finish ends the answer and says whether the connection can serve another request.
func (w *Response) finish() bool {
	if w.taken {
		return false
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.began && w.length < 0 && !w.isEmpty() {
		if w.chunked = w.c.request.ProtoMinor > 0 && w.hasTrailer(); !w.chunked {
			w.length = w.written
			w.head = append(strconv.AppendInt(append(w.head, "Content-Length: "...), w.written, 10), "\r\n"...)
		}
	}
	if w.failed == nil && (!w.began || len(w.pending) > 0 || w.chunked) {
		w.sendLast()
	}
	if w.failed != nil {
		return false
	}
	if w.length >= 0 && w.written != w.length && !w.isEmpty() {
		return false // the client must not take it for whole
	}
	if w.c.last {
		w.c.linger()
		return false
	}
	return true
}

// sendLast sends what is left, and the end of chunks with the trailer section.
func (w *Response) sendLast() {
	out := w.begin()
	if len(w.pending) > 0 && w.chunked {
		out = append(strconv.AppendInt(out, int64(len(w.pending)), 16), "\r\n"...)
	}
	out = append(out, w.pending...)
	if w.chunked {
		if len(w.pending) > 0 {
			out = append(out, "\r\n"...)
		}
		out = append(w.appendTrailer(append(out, "0\r\n"...)), "\r\n"...)
	}
	w.flush(out, nil, "")
}

// hasTrailer says whether a trailer section is to follow. It costs something only where there are headers that the head had not.
func (w *Response) hasTrailer() bool {
	if len(w.header) <= w.named {
		return false
	}
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

func (w *Response) appendTrailer(out []byte) []byte {
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok && http1.IsToken(name) {
			for _, value := range values {
				out = appendField(out, name, value)
			}
		}
	}
	return out
}

// Flush sends what was written so far.
func (w *Response) Flush() { _ = w.FlushError() }

// FlushError is Flush with the connection's error.
func (w *Response) FlushError() error {
	if w.taken {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.began && len(w.pending) == 0 {
		return w.failed
	}
	return w.send(nil)
}

// SetReadDeadline sets the deadline for reading the body.
func (w *Response) SetReadDeadline(t time.Time) error { return w.c.setReadDeadline(t) }

// SetWriteDeadline sets the deadline for writing this answer. It is moved by whole seconds, or by tenths of a short wait, as setting
// one costs as much as writing.
func (w *Response) SetWriteDeadline(t time.Time) error {
	w.dating.Lock()
	defer w.dating.Unlock()
	w.dated = true
	before := w.c.writing
	// The wait is at least what is left from the beginning of the request on: no other look at the clock is needed.
	if step := min(time.Second, t.Sub(time.Unix(0, w.c.busy.Load()))/10); t.Sub(before) < step && before.Sub(t) < step {
		return nil
	}
	w.c.writing = t
	return w.c.net.SetWriteDeadline(t)
}

// dropDeadline takes the deadline of the answer before away, unless this one has its own.
func (w *Response) dropDeadline() {
	w.dating.Lock()
	defer w.dating.Unlock()
	if !w.dated && !w.c.writing.IsZero() {
		w.c.writing = time.Time{}
		_ = w.c.net.SetWriteDeadline(time.Time{})
	}
}

// boundDeadline gives what is written before the answer the time of a head, unless the answer has its own.
func (w *Response) boundDeadline() {
	w.dating.Lock()
	defer w.dating.Unlock()
	if !w.dated {
		w.c.writing = time.Now().Add(orDefault(w.c.server.HeadTimeout, defaultHeadTimeout))
		_ = w.c.net.SetWriteDeadline(w.c.writing)
	}
}

// EnableFullDuplex is how it is.
func (w *Response) EnableFullDuplex() error { return nil }

// Take takes the connection over, without deadlines, with what was read from it behind the request. The server forgets it.
func (w *Response) Take() (net.Conn, []byte, error) {
	if w.taken {
		return nil, nil, http.ErrHijacked
	}
	if err := w.c.net.SetDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	w.taken = true
	w.c.server.forget(w.c)
	return w.c.net, slices.Clone(w.c.in.Buffered()), nil
}

// Hijack is Take in the form of http.Hijacker.
func (w *Response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, early, err := w.Take()
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReaderSize(&replay{Conn: c, early: early}, max(bufferSize, len(early)))
	_, _ = in.Peek(len(early))
	return c, bufio.NewReadWriter(in, bufio.NewWriter(c)), nil
}

// replay reads what was read before, then the connection.
type replay struct {
	net.Conn
	early []byte
}

// Read reads.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.early) > 0 {
		n := copy(p, r.early)
		r.early = r.early[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}
