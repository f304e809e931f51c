package edge_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/edge"
)

// TestHeartbeatsAreNotCompressed: a heartbeat is known by its text, so nobody is offered to compress it.
func TestHeartbeatsAreNotCompressed(t *testing.T) {
	const offer = "permessage-deflate; client_max_window_bits"
	for heartbeat, want := range map[string]string{"": offer, "beat": ""} {
		b := newBackend(t, echo)
		w := newWorld(t, plain(b, func(s *edge.SocketConfig) { s.Heartbeat = heartbeat }), nil)
		c := w.dial(t, "/ws", bearer(t, "ada")+"Sec-WebSocket-Extensions: "+offer+"\r\n", "")
		c.wants("hello")
		if got := b.last.Load().Header.Get("Sec-WebSocket-Extensions"); got != want {
			t.Errorf("heartbeat %q: the backend was offered %q, want %q", heartbeat, got, want)
		}
	}
}
