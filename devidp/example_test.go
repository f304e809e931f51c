package devidp_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/srp"
)

// A user pool on a free port, and a sign-in to it.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	provider, err := devidp.New(devidp.Config{
		Endpoint:   endpoint,
		UserPoolID: "local_Arena",
		Clients:    []devidp.Client{{ID: "game"}},
		Users:      []devidp.User{{Username: "alice", Password: "Correct-horse-1"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: provider}
	go server.Serve(listener)
	defer server.Close()

	tokens, err := srp.Login(context.Background(), srp.LoginConfig{
		UserPoolID: "local_Arena", ClientID: "game", Username: "alice", Password: "Correct-horse-1", Endpoint: endpoint,
	})
	fmt.Println(err, tokens.ExpiresIn, tokens.IDToken != "")
	// Output: <nil> 1h0m0s true
}

func ExampleNew() {
	_, err := devidp.New(devidp.Config{Endpoint: "http://0.0.0.0:9229"})
	fmt.Println(err)
	// Output: devidp: Config.Endpoint must be on a loopback address: this provider mints tokens for anyone
}
