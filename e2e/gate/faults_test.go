package gate_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/sallyport-auth/sallyport/connect"
)

// link is the network between the gate and the server, on which toxiproxy makes faults.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newLink(t *testing.T, to string) *link {
	zerolog.SetGlobalLevel(zerolog.Disabled) // its bandwidth fault logs past the logger that it is given
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l := &link{t, toxiproxy.NewProxy(api, "server", "127.0.0.1:0", to)}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

// add makes a fault on what comes from the server.
func (l *link) add(kind, attributes string) {
	l.t.Helper()
	toxic := fmt.Sprintf(`{"name":"fault","type":%q,"stream":"downstream","attributes":{%s}}`, kind, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		l.t.Fatal(err)
	}
}

// clear ends the fault.
func (l *link) clear() { l.proxy.Toxics.ResetToxics(l.t.Context()) }

// usage is what this process has open.
type usage struct{ goroutines, descriptors int }

func inUse(t *testing.T) usage {
	return usage{runtime.NumGoroutine(), len(must(os.ReadDir("/proc/self/fd"))(t))}
}

// faultSockets is how many sockets each fault has.
const faultSockets = 50

// TestFaultsBetweenGateAndServer has toxiproxy break the way to the server in every way that it can. Clients are told what to do,
// and afterwards nothing is left open. It runs alone, because it counts what the process has open.
func TestFaultsBetweenGateAndServer(t *testing.T) {
	to := newLink(t, rawServer(t, nil, echo))
	o := newDoor(t, plainKind, to.proxy.Listen, nil, nil)
	for _, p := range faulty(t, o) { // so that what is made once is there
		p.Close()
	}
	for range faultSockets {
		<-o.ends
	}
	before := inUse(t)
	lost := connect.ProfilePlain.Closing(connect.CloseBackendLost).Code
	for _, c := range []struct {
		name, kind, attributes string
		lost                   bool
		atLeast                time.Duration // that the answer takes
		bytes                  int
	}{
		{"late answers", "latency", `"latency":300,"jitter":50`, false, 200 * time.Millisecond, 10},
		{"little bandwidth", "bandwidth", `"rate":64`, false, 500 * time.Millisecond, 60 << 10},
		{"small slices", "slicer", `"average_size":7,"size_variation":3,"delay":100`, false, 0, 1 << 10},
		{"connections reset", "reset_peer", `"timeout":100`, true, 0, 10},
		{"silence, then an end", "timeout", `"timeout":500`, true, 0, 10},
		{"an end within a frame", "limit_data", `"bytes":1000`, true, 0, 4 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			players := faulty(t, o)
			to.add(c.kind, c.attributes)
			said := strings.Repeat("m", c.bytes)
			began := time.Now()
			for _, p := range players {
				if _, err := p.Write(masked(opText, said)); err != nil {
					t.Error(err)
				}
			}
			codes := map[int]int{}
			for _, p := range players {
				if c.lost {
					code, err := p.closed()
					if code != lost && !(c.kind == "limit_data" && err != nil) { // no frame can be put into a frame
						t.Errorf("told %d, %v, want %d", code, err, lost)
					}
					codes[code]++
				} else if text, err := p.message(); err != nil || text != said {
					t.Errorf("%d bytes, %v came back, want %d", len(text), err, len(said))
				}
			}
			took := time.Since(began)
			if took < c.atLeast {
				t.Errorf("took %s: there was no fault", took)
			}
			t.Logf("FIGURE %s: %d sockets in %s, close codes %v", c.name, len(players), took.Round(time.Millisecond), codes)
			to.clear()
		})
	}
	t.Run("no answer to the handshake", func(t *testing.T) { noAnswer(t, o, to) })
	nothingLeft(t, o, before)
}

// faulty opens sockets while there is no fault.
func faulty(t *testing.T, o *door) []*raw {
	t.Helper()
	players := make([]*raw, faultSockets)
	for i := range players {
		_, token := o.buy(t, o.issuer, fmt.Sprintf("%s %d", t.Name(), i))
		players[i] = must(join(o.address, token))(t)
		t.Cleanup(func() { players[i].Close() })
		if _, err := players[i].message(); err != nil {
			t.Fatal(err)
		}
	}
	return players
}

// noAnswer cuts the server off before it can answer a handshake.
func noAnswer(t *testing.T, o *door, to *link) {
	to.add("timeout", `"timeout":300`)
	defer to.clear()
	_, token := o.buy(t, o.issuer, "late")
	client, response, err := dial(o.address, []byte(handshake("/ws", "Authorization: Bearer "+token)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if response.StatusCode != http.StatusBadGateway && response.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 502 or 504", response.StatusCode)
	}
}

// slack is what may be open by chance, such as a goroutine of the runtime's; a fault that leaks does so for each of faultSockets.
const slack = 5

// nothingLeft waits until the process has no more open than before.
func nothingLeft(t *testing.T, o *door, before usage) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		after := inUse(t)
		if after.goroutines <= before.goroutines+slack && after.descriptors <= before.descriptors+slack && o.gate.State().Sockets == 0 {
			t.Logf("FIGURE before the faults %d goroutines and %d descriptors, after them %d and %d", before.goroutines, before.descriptors, after.goroutines, after.descriptors)
			return
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%+v before, %+v after, %d sockets, want 0\n%s", before, after, o.gate.State().Sockets, stacks[:runtime.Stack(stacks, true)])
		}
		<-time.After(50 * time.Millisecond)
	}
}
