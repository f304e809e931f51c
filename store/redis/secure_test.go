package redis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// certificate writes a server's certificate for 127.0.0.1 and its key, and returns the files and who trusts it.
func certificate(t *testing.T) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(cert, text, 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	trust = x509.NewCertPool()
	trust.AppendCertsFromPEM(text)
	return cert, key, trust
}

// The user may do what the package comment says and no more.
const user = "user node on >a-long-password ~sallyport*:* &sallyport*:* +publish +subscribe +@read +@write +@scripting +@connection +wait +info +time"

func TestTLSAndUser(t *testing.T) {
	t.Parallel()
	cert, key, trust := certificate(t)
	port := freePort(t)
	startServer(t, "tls-port "+strconv.Itoa(port), "tls-cert-file "+cert, "tls-key-file "+key, "tls-auth-clients no",
		user, "user default off")
	config := redis.Config{
		Addresses: []string{"127.0.0.1:" + strconv.Itoa(port)}, TLS: &tls.Config{RootCAs: trust},
		Username: "node", Password: "a-long-password",
	}
	t.Run("Suite", func(t *testing.T) { conform(t, config) })
	refusedOpen := func(change func(*redis.Config)) {
		t.Helper()
		c := config
		change(&c)
		_, err := redis.Open(context.Background(), c)
		wantErr(t, "Open", err, session.ErrStoreUnavailable)
		if err != nil && strings.Contains(err.Error(), "password-") {
			t.Errorf("the error has the password: %v", err)
		}
	}
	refusedOpen(func(c *redis.Config) { c.Password = "another-password-" })
	refusedOpen(func(c *redis.Config) { c.TLS = &tls.Config{RootCAs: x509.NewCertPool()} })
	refusedOpen(func(c *redis.Config) { c.TLS = nil })
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	one := []string{"127.0.0.1:6379"}
	for name, c := range map[string]struct {
		config redis.Config
		want   string
	}{
		"nothing":           {redis.Config{}, "Config.Addresses"},
		"no port":           {redis.Config{Addresses: []string{"127.0.0.1"}}, "HOST:PORT"},
		"two":               {redis.Config{Addresses: []string{"127.0.0.1:1", "127.0.0.1:2"}}, "want one"},
		"plaintext":         {redis.Config{Addresses: []string{"redis.example.com:6379"}}, "Config.TLS"},
		"cluster, sentinel": {redis.Config{Addresses: one, Cluster: true, Sentinel: &redis.Sentinel{Master: "x"}}, "at most one"},
		"no master":         {redis.Config{Addresses: one, Sentinel: &redis.Sentinel{}}, "Config.Sentinel.Master"},
		"no password":       {redis.Config{Addresses: one, Username: "node"}, "Config.Password"},
		"namespace":         {redis.Config{Addresses: one, Namespace: "a{b}"}, "Config.Namespace"},
		"timeout":           {redis.Config{Addresses: one, Timeout: time.Minute}, "Config.Timeout"},
		"database":          {redis.Config{Addresses: one, Cluster: true, Database: 1}, "Config.Database"},
		"replicas":          {redis.Config{Addresses: one, Replicas: -1}, "Config.Replicas"},
	} {
		_, err := redis.Open(context.Background(), c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one about %s", name, err, c.want)
		}
	}
}

func TestOpenRefusesEviction(t *testing.T) {
	t.Parallel()
	server := startServer(t, "maxmemory-policy volatile-lru")
	_, err := redis.Open(context.Background(), redis.Config{Addresses: []string{server.address()}})
	if err == nil || !strings.Contains(err.Error(), "volatile-lru") {
		t.Errorf("got error %v, want one about the policy", err)
	}
}

func TestFullServerRefuses(t *testing.T) {
	t.Parallel()
	server := startServer(t, "maxmemory-policy noeviction")
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	stored := appendEvent(t, store, 1)
	server.do("CONFIG", "SET", "maxmemory", "1mb")
	_, err := store.Append(context.Background(), event(2))
	wantErr(t, "Append to a full server", err, session.ErrStoreUnavailable)
	server.do("CONFIG", "SET", "maxmemory", "0")
	if !has(t, store, []session.Event{stored}) {
		t.Error("a refused revocation was stored, or one was thrown away")
	}
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}, Namespace: "game"})
	appendEvent(t, store, 1)
	must(t, store.Create(ctx, family(1)))
	must(t, store.Put(ctx, digest(1), []byte("sealed"), family(1).Expires))
	const lives = "local n = 0 for _, k in ipairs(redis.call('KEYS', 'game:1:*')) do " +
		"if redis.call('PTTL', k) > 0 then n = n + 1 end end return n .. ' of ' .. redis.call('DBSIZE')"
	if got := server.do("EVAL", lives, "0"); got != "6 of 6" {
		t.Errorf("%s keys are in the namespace and expire, want 6 of 6", got)
	}
	ban := session.Event{ID: id(2), Kind: session.PlayerBanned, Player: family(1).Player}
	_, err := store.Append(ctx, ban)
	must(t, err)
	appendEvent(t, store, 3)
	if got := server.do("EVAL", lives, "0"); got != "2 of 6" {
		t.Errorf("with a ban without end %s keys expire, want only the family and the ticket", got)
	}
}

func TestRemember(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}, Remember: 3})
	for n := range 5 {
		appendEvent(t, store, n)
		alias := session.Event{ID: id(100 + n), Kind: session.PlayerAlias, Player: family(1).Player, Alias: id(n), Expires: event(n).Expires}
		_, err := store.Append(ctx, alias)
		must(t, err)
	}
	if got := store.State().Remembered; got != 6 {
		t.Errorf("%d events are remembered, want 3 revocations and 3 aliases", got)
	}
	server.do("FLUSHALL")
	_, _ = all(t, store)
	eventually(t, "what is remembered is written again", func() bool { return store.State().Reasserted == 6 })
	events, _ := all(t, store)
	if len(events) != 6 || events[0].ID != id(2) || events[3].ID != id(102) {
		t.Errorf("written again: %+v, want the last three of each sort, revocations first", events)
	}
}
