package nakama_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

// pace is how many new players a second come, whether those before them have been answered or not.
const pace = 500

// BenchmarkPacedLogins measures how long a sign-in takes while new players come at a fixed pace: with the plugin, which
// follows a real server and tells it who each of them is, and behind the edge. For a minute of each:
//
//	cd e2e/nakama && GOWORK=off go test -run '^$' -bench PacedLogins -benchtime 30000x
func BenchmarkPacedLogins(b *testing.B) {
	p := startPool(b, poolID, "", nil)
	server := startSallyport(b, p)
	plugin, behind := startNakama(b, profiled(b, pluginFolder(b)), pluginEnv(p, server.url)), startNakama(b, emptyFolder(b), nil)
	gate := startGate(b, p, behind, session.NewMemoryStore())
	for _, c := range []struct {
		name   string
		nakama nakama
		port   int
	}{{"plugin", plugin, plugin.port}, {"edge", behind, gate.nakama.port}} {
		b.Run(c.name, func(b *testing.B) {
			if c.name == "plugin" {
				defer profile(b, plugin, "paced")()
			}
			pacedSignIns(b, p, c.nakama, c.port)
		})
	}
}

func pacedSignIns(b *testing.B, p pool, n nakama, port int) {
	bodies := accounts(b, p, b.N, false)
	transport := &http.Transport{MaxIdleConnsPerHost: pace}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	address := fmt.Sprintf("http://127.0.0.1:%d/v2/account/authenticate/custom?create=true", port)
	took := make([]time.Duration, b.N)
	var running sync.WaitGroup
	before := usage(b, n)
	b.ResetTimer()
	began := time.Now()
	for i := range b.N {
		due := began.Add(time.Duration(i) * time.Second / pace)
		time.Sleep(time.Until(due))
		running.Go(func() {
			if err := signInOnce(client, address, bodies[i]); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(due) // from when the player came, not from when there was time for it
		})
	}
	running.Wait()
	b.StopTimer()
	after := usage(b, n)
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	for name, at := range map[string]int{"p50-ms": b.N / 2, "p99-ms": b.N * 99 / 100, "max-ms": b.N - 1} {
		b.ReportMetric(float64(took[at].Microseconds())/1000, name)
	}
	for i, who := range []string{"nakama", "postgres", "here"} {
		b.ReportMetric(float64((after[i]-before[i]).Microseconds())/float64(b.N), who+"-cpu-µs/op")
	}
}
