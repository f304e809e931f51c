package connect_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// A game server on plain TCP. A WebSocket server does the same with the Close method of its library:
//
//	Close: func(c connect.Closing) { conn.Close(websocket.StatusCode(c.Code), c.Text) }
func ExampleRegistry() {
	ctx := context.Background()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace})
	if err != nil {
		panic(err)
	}
	if err := ledger.Load(ctx); err != nil { // a server runs ledger.Run(ctx)
		panic(err)
	}
	registry, err := connect.NewRegistry(connect.RegistryConfig{
		Ledger: ledger,
		Stale:  connect.KeepSockets,
		Routes: map[string]connect.SocketRoute{
			"game": {Mode: connect.ReplaceOlder, Profile: connect.ProfilePlain},
		},
	})
	if err != nil {
		panic(err)
	}

	serve := func(conn net.Conn, s *session.Session) {
		defer conn.Close()
		socket, err := registry.Admit(ctx, s, connect.Slot{Route: "game"}, connect.Hooks{
			Close: func(c connect.Closing) {
				_ = conn.SetDeadline(time.Now().Add(time.Second)) // a client that does not read holds nobody up
				fmt.Fprintf(conn, "bye %d %s\n", c.Code, c.Text)
				conn.Close()
			},
		})
		if err != nil {
			c := connect.ProfilePlain.Closing(connect.CloseReasonOf(err))
			fmt.Fprintf(conn, "bye %d %s\n", c.Code, c.Text)
			return
		}
		defer socket.Release()
		fmt.Fprintf(conn, "welcome %s\n", s.PlayerID)
		_, _ = io.Copy(io.Discard, conn) // the game
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	s := &session.Session{ // what a verifier returns for the token that the client sent
		Player: identity.Player{Realm: "players", Subject: alice}, PlayerID: alice, ID: "0199-session",
		IssuedAt: time.Now(), Expiry: time.Now().Add(time.Hour),
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, s)
		}
	}()

	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	welcome := make([]byte, len("welcome \n")+len(alice))
	_, _ = io.ReadFull(client, welcome)
	fmt.Print(string(welcome))

	if err := ledger.RevokeSession(ctx, s, "signed out"); err != nil {
		panic(err)
	}
	rest, _ := io.ReadAll(client)
	fmt.Print(string(rest))

	again, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	rest, _ = io.ReadAll(again)
	fmt.Print(string(rest))
	// Output:
	// welcome 0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11
	// bye 4403 revoked: signed out, sign in again
	// bye 4403 revoked: signed out, sign in again
}

func ExampleProfile_Closing() {
	for _, profile := range []connect.Profile{connect.ProfileNakama, connect.ProfileColyseus, connect.ProfilePlain} {
		c := profile.Closing(connect.CloseDraining)
		fmt.Printf("%d %s: %s\n", c.Code, c.Action, c.Text)
	}
	// Output:
	// 1001 come back: draining: the server restarts, connect again
	// 4010 come back: draining: the server restarts, connect again
	// 1012 come back: draining: the server restarts, connect again
}
