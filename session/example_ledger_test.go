package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// A ledger answers for every session that a verifier has verified.
func ExampleLedger() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace})
	if err != nil {
		panic(err)
	}
	if err := ledger.Load(ctx); err != nil {
		panic(err)
	}
	go ledger.Run(ctx)

	ann := identity.Player{Realm: "main", Subject: "ann"}
	s := &session.Session{Player: ann, ID: "sid-1", IssuedAt: time.Now()}
	fmt.Println("before:", ledger.CheckSession(s))
	if err := ledger.RevokeSession(ctx, s, "signed out"); err != nil {
		panic(err) // not stored, so not acknowledged
	}
	fmt.Println("after:", errors.Is(ledger.CheckSession(s), jws.Revoked))
	// Output:
	// before: <nil>
	// after: true
}

func ExampleLedger_Ban() {
	ctx := context.Background()
	ledger := loadedLedger()
	ann := identity.Player{Realm: "main", Subject: "ann"}
	token := &identity.Identity{Player: ann, IssuedAt: time.Now()}

	ledger.Ban(ctx, ann, "speed hack", time.Time{})
	fmt.Println(jws.ReasonOf(ledger.CheckIdentity(token)))
	ledger.Unban(ctx, ann)
	fmt.Println(ledger.CheckIdentity(token))
	ledger.CutOff(ctx, ann, "signed out everywhere")
	fmt.Println(jws.ReasonOf(ledger.CheckIdentity(token)))
	// Output:
	// banned
	// <nil>
	// revoked
}

// An issuer's message, from VerifyLogout of package identity or from a webhook, ends what it names.
func ExampleLedger_SignOut() {
	ctx := context.Background()
	ledger := loadedLedger()
	message := &identity.SignOut{Player: identity.Player{Realm: "main"}, Session: "sess_1"}
	if err := ledger.SignOut(ctx, message); err != nil {
		panic(err)
	}
	token := &identity.Identity{Player: identity.Player{Realm: "main", Subject: "ann"}, Session: "sess_1", IssuedAt: time.Now()}
	fmt.Println(jws.ReasonOf(ledger.CheckIdentity(token)))
	// Output: revoked
}

// Who keeps sockets open closes those whose session or player an event names.
func ExampleLedger_Subscribe() {
	ledger := loadedLedger()
	told := make(chan session.Event)
	cancel := ledger.Subscribe(func(e session.Event) { told <- e })
	defer cancel()
	s := &session.Session{Player: identity.Player{Realm: "main", Subject: "ann"}, ID: "sid-1"}
	if err := ledger.RevokeSession(context.Background(), s, "signed out"); err != nil {
		panic(err)
	}
	e := <-told
	fmt.Println(e.Kind, e.Session, e.Reason)
	// Output: session_revoked sid-1 signed out
}

// Nakama knows players by ids of its own.
func ExampleLedger_Learn() {
	ledger := loadedLedger()
	ann := identity.Player{Realm: "main", Subject: "ann"}
	if err := ledger.Learn(context.Background(), "7f1c6e9e-51a0-4f3a-9c55-0f6f3ad6c1a1", ann); err != nil {
		panic(err)
	}
	fmt.Println(ledger.PlayerOf("7f1c6e9e-51a0-4f3a-9c55-0f6f3ad6c1a1"))
	// Output: {main ann} true
}

// A node without a store follows a server that has one.
func ExampleNewFollower() {
	ctx := context.Background()
	upstream := loadedLedger()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		batch, err := upstream.Since(r.Context(), r.URL.Query().Get("after")) // after checking who asks
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(batch)
	}))
	defer server.Close()
	ann := identity.Player{Realm: "main", Subject: "ann"}
	if err := upstream.Ban(ctx, ann, "speed hack", time.Time{}); err != nil {
		panic(err)
	}

	follower, err := session.NewFollower(session.FollowerConfig{
		URL: server.URL + "/v1/events", ClientID: "game-1", ClientSecret: "the secret of game-1",
	})
	if err != nil {
		panic(err)
	}
	ledger, err := session.NewLedger(session.LedgerConfig{Feed: follower, Policy: session.Grace})
	if err != nil {
		panic(err)
	}
	if err := ledger.Load(ctx); err != nil {
		panic(err)
	}
	fmt.Println(jws.ReasonOf(ledger.CheckSession(&session.Session{Player: ann, ID: "sid-1", IssuedAt: time.Now()})))
	// Output: banned
}

func ExampleMemoryStore() {
	ctx := context.Background()
	store := session.NewMemoryStore()
	stored, err := store.Append(ctx, session.Event{
		ID: "01900000-0000-7000-8000-000000000001", Kind: session.PlayerCutOff,
		Player: identity.Player{Realm: "main", Subject: "ann"}, Expires: time.Now().Add(time.Hour),
	})
	fmt.Println(stored.Kind, err)
	batch, err := store.Since(ctx, "")
	fmt.Println(len(batch.Events), batch.Reset, batch.More, err)
	// Output:
	// player_cut_off <nil>
	// 1 true false <nil>
}

func ExampleEvent_Validate() {
	e := session.Event{ID: "01900000-0000-7000-8000-000000000001", Kind: session.PlayerBanned, Reason: "speed hack"}
	fmt.Println(e.Validate())
	// Output: session: invalid event: player.realm: required with player_banned
}

func ExampleUpstreamOf() {
	cognito := &identity.Identity{Session: "b1d0c8e4-origin-jti", TokenID: "957a5b9f-jti"}
	fmt.Println(session.UpstreamOf(cognito))
	// Output: sid:b1d0c8e4-origin-jti
}

func ExampleSession_HasScope() {
	s := &session.Session{Scopes: []string{"play", "chat"}}
	fmt.Println(s.HasScope("play"), s.HasScope("admin"))
	// Output: true false
}

// loadedLedger returns a ledger of its own store that has been loaded.
func loadedLedger() *session.Ledger {
	ledger, err := session.NewLedger(session.LedgerConfig{Store: session.NewMemoryStore(), Policy: session.Grace})
	if err != nil {
		panic(err)
	}
	if err := ledger.Load(context.Background()); err != nil {
		panic(err)
	}
	return ledger
}
