package nakama_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// clients is how many players sign in at the same time.
const clients = 32

// BenchmarkLogins measures sign-ins at a real Nakama: alone (where it believes any id), with the plugin, and behind the
// edge; of new players and of known ones. Every identity token is verified for the first time. The processor time of each
// party is measured beside, so that ours is the difference to Nakama alone:
//
//	cd e2e/nakama && GOWORK=off go test -run '^$' -bench Logins -benchtime 5000x
//
// With SALLYPORT_PROFILE=FOLDER there are processor profiles of the Nakama with the plugin, too; those of the gate are what
// -cpuprofile gives for -bench Logins/edge.
func BenchmarkLogins(b *testing.B) {
	p := startPool(b, poolID, "", nil)
	alone, behind := startNakama(b, emptyFolder(b), nil), startNakama(b, emptyFolder(b), nil)
	plugin := startNakama(b, profiled(b, pluginFolder(b)), pluginEnv(p, "none"))
	gate := startGate(b, p, behind, session.NewMemoryStore())
	for _, c := range []struct {
		name   string
		nakama nakama
		port   int
	}{{"alone", alone, alone.port}, {"plugin", plugin, plugin.port}, {"edge", behind, gate.nakama.port}} {
		for _, players := range []string{"new", "known"} {
			b.Run(c.name+"/"+players, func(b *testing.B) {
				if c.name == "plugin" {
					defer profile(b, plugin, players)()
				}
				signIns(b, p, c.nakama, c.port, c.name == "alone")
			})
		}
	}
}

const profileFolder = "SALLYPORT_PROFILE"

// profile takes a processor profile of a Nakama, if there are to be some, until the returned function is called.
func profile(b *testing.B, n nakama, name string) func() {
	folder := os.Getenv(profileFolder)
	if folder == "" {
		return func() {}
	}
	check(b, answers(n.url()+"/profile?file="+filepath.Join(folder, name+".prof"))())
	return func() { check(b, answers(n.url()+"/profile")()) }
}

// profiled adds the plugin that takes profiles, if there are to be some.
func profiled(b *testing.B, modules string) string {
	if os.Getenv(profileFolder) != "" {
		_, err := goBuild(".", filepath.Join(filepath.Base(modules), "profile.so"), "-buildmode=plugin", "./profile")
		check(b, err)
	}
	return modules
}

// signIns has b.N players sign in. The same players come at every call, with new tokens.
func signIns(b *testing.B, p pool, n nakama, port int, byID bool) {
	bodies := accounts(b, p, b.N, byID)
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	address := fmt.Sprintf("http://127.0.0.1:%d/v2/account/authenticate/custom?create=true", port)
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var running sync.WaitGroup
	before := usage(b, n)
	b.ResetTimer()
	for range clients {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := signInOnce(client, address, bodies[i]); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	running.Wait()
	b.StopTimer()
	after := usage(b, n)
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	for i, who := range []string{"nakama", "postgres", "here"} {
		b.ReportMetric(float64((after[i]-before[i]).Microseconds())/float64(b.N), who+"-cpu-µs/op")
	}
}

func signInOnce(client *http.Client, address string, body []byte) error {
	request, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(serverKey, "")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}

// accounts are the requests of n players: their identity tokens, or their bare ids for a Nakama alone.
func accounts(b *testing.B, p pool, n int, byID bool) [][]byte {
	bodies := make([][]byte, n)
	signer, template := pattern(b, p)
	var running sync.WaitGroup
	var next atomic.Int64
	for range 2 {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
				if !byID {
					id = tokenFor(b, signer, template, id)
				}
				bodies[i], _ = json.Marshal(map[string]string{"id": id})
			}
		})
	}
	running.Wait()
	return bodies
}

// pattern is a real token's claims and the key that signs such tokens: thousands of SRP sign-ins would take minutes.
func pattern(b *testing.B, p pool) (*jws.Signer, map[string]any) {
	token := p.login(b, "game", "alice").AccessToken
	parts := strings.Split(token, ".")
	var header struct{ Kid string }
	var claims map[string]any
	for i, v := range []any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		check(b, err)
		check(b, json.Unmarshal(data, v))
	}
	_, key := poolKeys()
	signer, err := jws.NewSigner(header.Kid, key)
	check(b, err)
	return signer, claims
}

func tokenFor(b *testing.B, signer *jws.Signer, template map[string]any, subject string) string {
	claims := make(map[string]any, len(template))
	for name, value := range template {
		claims[name] = value
	}
	now := time.Now()
	claims["sub"], claims["username"] = subject, subject
	claims["iat"], claims["auth_time"], claims["exp"] = now.Unix(), now.Unix(), now.Add(time.Hour).Unix()
	claims["jti"], claims["origin_jti"] = fmt.Sprint(subject, now.UnixNano()), fmt.Sprint("origin", subject, now.UnixNano())
	data, err := json.Marshal(claims)
	if err == nil {
		var token string
		if token, err = signer.Sign("", data); err == nil {
			return token
		}
	}
	b.Error(err)
	return ""
}

// usage is the processor time so far of Nakama, of PostgreSQL with all its processes, and of this process, in which the
// clients run, and the gate.
func usage(b *testing.B, n nakama) [3]time.Duration {
	var self syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &self))
	postgres := database.process.cmd.Process.Pid
	var all [3]time.Duration
	all[0], _ = processorTime(n.cmd.Process.Pid)
	all[2] = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	entries, err := os.ReadDir("/proc")
	check(b, err)
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if t, parent := processorTime(pid); pid == postgres || parent == postgres {
				all[1] += t
			}
		}
	}
	return all
}

// processorTime reads /proc/PID/stat, whose unit is 10 ms.
func processorTime(pid int) (time.Duration, int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := bytes.Cut(data, []byte(") "))
	if err != nil || !found {
		return 0, 0
	}
	fields := strings.Fields(string(rest))
	parent, _ := strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, parent
}
