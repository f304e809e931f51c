package downstream

import "sync/atomic"

// spareWorkers is how many goroutines without a connection are kept for the next ones. The stack of a new one is too small for a
// handler, and making it grow costs a tenth of a short connection.
const spareWorkers = 32

// workers are the goroutines that serve connections.
type workers struct {
	conns chan *conn
	done  chan struct{}
	spare atomic.Int32
}

func (w *workers) start() { w.conns, w.done = make(chan *conn), make(chan struct{}) }

// stop ends the spare ones. Those that serve end after their connection.
func (w *workers) stop() {
	if w.done != nil {
		close(w.done)
	}
}

// serve has a connection served, by a spare goroutine if one waits.
func (w *workers) serve(c *conn) {
	select {
	case w.conns <- c:
	default:
		go w.work(c)
	}
}

func (w *workers) work(c *conn) {
	for {
		c.serve()
		if w.spare.Add(1) > spareWorkers {
			w.spare.Add(-1)
			return
		}
		select {
		case c = <-w.conns:
			w.spare.Add(-1)
		case <-w.done:
			return
		}
	}
}
