package wsrelay_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkMessages compares, in one run, what a message and its echo cost the process between the two ends: both forms
// of the relay, a pair of io.Copy, and HAProxy where it is installed. The figure that counts is cpu-µs/msg: user and
// system time of the relaying process for one message one way. p50 and p99 are of an echo at 1,000 messages/s.
func BenchmarkMessages(b *testing.B) {
	for _, size := range []int{64, 256, 16 << 10} {
		for _, form := range []string{"none", "naive", "goroutines", "loop", "haproxy"} {
			b.Run(fmt.Sprintf("%s/%d", form, size), func(b *testing.B) { benchmarkMessages(b, form, size) })
		}
	}
}

const benchClients = 64

func benchmarkMessages(b *testing.B, form string, size int) {
	load := startRole(b, "load")
	relay, address := startForm(b, form, load.hear()[0])
	load.tell("connect %s %d", address, benchClients)
	load.hear()
	load.tell("closed %d %d", 100, size) // to warm up
	load.hear()
	each := max(200, 60_000/benchClients)
	if size > 4096 {
		each /= 2
	}
	var messages, cpu, elapsed float64
	for b.Loop() {
		before := relay.cpu()
		load.tell("closed %d %d", each, size)
		nanos, _ := strconv.ParseFloat(load.hear()[0], 64)
		cpu += float64(relay.cpu() - before)
		elapsed += nanos
		messages += 2 * float64(each*benchClients)
	}
	load.tell("paced %d %d %d", 2000, size, 1000)
	times := load.hear()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(messages/elapsed*1e9, "msg/s")
	if form != "none" {
		b.ReportMetric(cpu/messages/1e3, "cpu-µs/msg")
	}
	for i, unit := range []string{"p50-µs", "p99-µs"} {
		nanos, _ := strconv.ParseFloat(times[i], 64)
		b.ReportMetric(nanos/1e3, unit)
	}
}

// startForm starts what stands between the ends and returns its address.
func startForm(tb testing.TB, form, backend string) (*process, string) {
	tb.Helper()
	switch form {
	case "none":
		return startRole(tb, "load"), backend
	case "haproxy":
		return startHAProxy(tb, backend)
	}
	relay := startRole(tb, "relay", form, backend)
	return relay, relay.hear()[0]
}

func startHAProxy(tb testing.TB, backend string) (*process, string) {
	tb.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		tb.Skip("haproxy is not installed")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	path := filepath.Join(tb.TempDir(), "haproxy.cfg")
	config := "global\n maxconn 9000\ndefaults\n mode http\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n" +
		" timeout tunnel 1h\nfrontend f\n bind " + address + "\n default_backend b\nbackend b\n server s " + backend + "\n"
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	proxy := startProcess(tb, exec.Command("haproxy", "-db", "-f", path))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return proxy, address
		}
	}
	tb.Fatal("haproxy did not start")
	return nil, ""
}

// BenchmarkIdle measures the memory of the relaying process for each idle socket, 8,000 of them with every control on, also
// after each has carried a message of 16 KiB.
func BenchmarkIdle(b *testing.B) {
	const count = 8000
	for _, form := range []string{"naive", "goroutines", "loop", "haproxy"} {
		b.Run(form, func(b *testing.B) {
			load := startRole(b, "load")
			relay, address := startForm(b, form, load.hear()[0])
			load.tell("connect %s %d", address, 8) // what the first sockets cost is the process
			load.hear()
			before := relay.resident()
			load.tell("connect %s %d", address, count)
			load.hear()
			connected := relay.resident()
			load.tell("closed 1 %d", 16<<10)
			load.hear()
			used := relay.resident()
			for b.Loop() {
				runtime.Gosched()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(connected-before)/count/1024, "KiB/socket")
			b.ReportMetric(float64(used-before)/count/1024, "KiB/socket-used")
		})
	}
}
