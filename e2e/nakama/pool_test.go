package nakama_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/srp"
)

const (
	poolID   = "local_Arena"
	password = "Correct-horse-1"
)

// pool is a user pool on this machine.
type pool struct {
	*devidp.Provider
	endpoint string // where it is reached
	id       string
}

// poolKeys are made once: RSA keys take long.
var poolKeys = sync.OnceValues(func() (id, access *rsa.PrivateKey) {
	id, _ = rsa.GenerateKey(rand.Reader, 2048)
	access, _ = rsa.GenerateKey(rand.Reader, 2048)
	return id, access
})

// startPool runs a pool until the test ends. An issuer address that is not "" becomes that of its tokens; now is its clock.
func startPool(t testing.TB, id, issuer string, now func() time.Time) pool {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	if issuer == "" {
		issuer = endpoint
	}
	idKey, accessKey := poolKeys()
	provider, err := devidp.New(devidp.Config{
		Endpoint: issuer, UserPoolID: id, Clients: []devidp.Client{{ID: "game"}, {ID: "other"}}, IDKey: idKey, AccessKey: accessKey, Now: now,
		Users: users(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: provider, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-stopped
	})
	return pool{provider, endpoint, id}
}

func users() (all []devidp.User) {
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "mallory"} {
		all = append(all, devidp.User{Username: name, Password: password})
	}
	return all
}

// login signs a user in by SRP and returns the tokens.
func (p pool) login(t testing.TB, client, username string) srp.Tokens {
	t.Helper()
	tokens, err := srp.Login(t.Context(), srp.LoginConfig{
		UserPoolID: p.id, ClientID: client, Username: username, Password: password, Endpoint: p.endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}
