package connect_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
)

func noHook(connect.Closing) {}

// BenchmarkAdmit admits and releases a socket beside 10,000 live ones.
func BenchmarkAdmit(b *testing.B) {
	d := newDoor(b, connect.RegistryConfig{})
	for i := range 10_000 {
		d.admit(sessionOf(i), "arena", "")
	}
	s, slot := sessionOf(20_000), connect.Slot{Route: "arena"}
	s.Expiry = s.Expiry.Add(-time.Minute) // the worst place in the queue
	b.ReportAllocs()
	for b.Loop() {
		socket, err := d.registry.Admit(context.Background(), s, slot, connect.Hooks{Close: noHook})
		if err != nil {
			b.Fatal(err)
		}
		socket.Release()
	}
}

// BenchmarkIdleSocket measures the memory of a socket that does nothing, with its session's copy and the indexes.
func BenchmarkIdleSocket(b *testing.B) {
	const count = 8000
	sockets := make([]*connect.Socket, count)
	for b.Loop() {
		d := newDoor(b, connect.RegistryConfig{})
		before := heapInUse()
		for i := range count {
			s := sessionOf(i)
			s.Player.Subject = fmt.Sprintf("%s-%012d", alice[:23], i)
			s.ID = fmt.Sprintf("0199aaaa-bbbb-7ccc-8ddd-%012d", i)
			s.Upstream = "sid:" + s.ID
			socket, err := d.registry.Admit(context.Background(), s, connect.Slot{Route: "arena"}, connect.Hooks{Close: noHook})
			if err != nil {
				b.Fatal(err)
			}
			sockets[i] = socket
		}
		b.ReportMetric(float64(heapInUse()-before)/count, "B/socket")
		runtime.KeepAlive(d)
	}
	runtime.KeepAlive(sockets)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkRevocation ends 1,000 sockets out of 8,000, by one revocation or by one each, and reports how long after the
// call that revoked it a socket's hook began.
func BenchmarkRevocation(b *testing.B) {
	const live, count = 8000, 1000
	ctx := context.Background()
	for name, shared := range map[string]bool{"one": true, "each": false} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				d := newDoor(b, connect.RegistryConfig{})
				began, ended := make([]time.Time, count), make(chan time.Duration, count)
				for i := range live {
					s := sessionOf(i)
					hooks := connect.Hooks{Close: noHook}
					if i < count {
						hooks.Close = func(connect.Closing) { ended <- time.Since(began[i]) }
					}
					if i < count && shared {
						s.Upstream = "sid:shared"
					}
					if _, err := d.registry.Admit(ctx, s, connect.Slot{Route: "arena"}, hooks); err != nil {
						b.Fatal(err)
					}
				}
				now := time.Now()
				for i := range began {
					began[i] = now
				}
				if shared {
					if err := d.ledger.RevokeUpstream(ctx, "players", "shared", ""); err != nil {
						b.Fatal(err)
					}
				}
				for i := 0; i < count && !shared; i++ {
					began[i] = time.Now()
					if err := d.ledger.RevokeSession(ctx, sessionOf(i), ""); err != nil {
						b.Fatal(err)
					}
				}
				for range count {
					took = append(took, <-ended)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs-max")
		})
	}
}
