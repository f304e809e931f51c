package bolt_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

// grown returns a store of n events, closed.
func grown(b *testing.B, n int) *file {
	b.Helper()
	f := newFile(b)
	const writers = 500
	var next atomic.Int64
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if _, err := f.Append(b.Context(), event(int(i))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	f.shut()
	return f
}

// BenchmarkOpen opens, and so reads and checks, a store of 100,000 events.
func BenchmarkOpen(b *testing.B) {
	f := grown(b, 100_000)
	r, err := bolt.Check(b.Context(), f.config())
	must(b, err)
	for b.Loop() {
		f.open()
		f.shut()
	}
	b.ReportMetric(float64(r.Bytes-r.FreeBytes)/float64(r.Events), "file-B/event")
}

// BenchmarkLoad loads a ledger from a store of 100,000 events.
func BenchmarkLoad(b *testing.B) {
	f := grown(b, 100_000)
	f.open()
	for b.Loop() {
		l, err := session.NewLedger(session.LedgerConfig{Store: f.Store, Policy: session.Strict, Now: f.clock.now})
		must(b, err)
		must(b, l.Load(b.Context()))
	}
}

// BenchmarkAppend is a durable revocation: ns/op is one over the throughput, commits/op how many waits for the disk it costs.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(writers)+"-writers", func(b *testing.B) {
			f := newFile(b)
			var next atomic.Int64
			b.SetParallelism(writers) // times GOMAXPROCS
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := f.Append(b.Context(), event(int(next.Add(1)))); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(f.Stats().Commits)/float64(b.N), "commits/op")
		})
	}
}
