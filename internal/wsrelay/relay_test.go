package wsrelay_test

import (
	"io"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
	"github.com/sallyport-auth/sallyport/internal/wsrelay"
)

func TestMessagesPass(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 300_000} {
			up := w.client.frame(wsframe.Text, strings.Repeat("u", size))
			down := w.backend.frame(wsframe.Binary, strings.Repeat("d", size))
			go io.WriteString(w.client.conn, up)
			w.backend.wants(up)
			go io.WriteString(w.backend.conn, down)
			w.client.wants(down)
		}
	})
}

func TestClientCloses(t *testing.T) {
	forms(t, func(t *testing.T, config wsrelay.LoopConfig) {
		w := start(t, config, setup{})
		bye := w.client.closing(3000, "bye")
		w.client.send(bye)
		w.backend.wants(bye)
		answer := w.backend.closing(3000, "bye")
		w.backend.send(answer)
		w.backend.conn.Close()
		w.client.wants(answer)
		w.client.wantsEnd()
		w.client.conn.Close()
		w.wantsOutcome(connect.CloseFinished, 3000)
	})
}
