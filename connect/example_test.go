package connect_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

// verifier stands for a *session.Verifier, which needs keys and a ledger.
var verifier = fixed{&session.Session{PlayerID: alice, Scopes: []string{"play"}}}

func ExampleGuard_Require() {
	guard, err := connect.New(connect.Config{Sessions: verifier, Realm: "arena"})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /inventory", guard.Require(connect.Scope("play"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := connect.SessionFromContext(r.Context())
		fmt.Fprint(w, "inventory of ", s.PlayerID)
	})))

	r := httptest.NewRequest("GET", "/inventory", nil)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))

	r.Header.Set("Authorization", "Bearer eyJ…")
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 401 Bearer realm="arena"
	// 200 inventory of 0b7c1f3e-6f0a-4a43-9d5b-6f1f0e5f2a11
}

func ExampleGuard_Allow() {
	guard, err := connect.New(connect.Config{Sessions: verifier})
	if err != nil {
		panic(err)
	}
	lobby := guard.Allow()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := connect.SessionFromContext(r.Context()); ok {
			fmt.Fprint(w, "welcome back, ", s.PlayerID)
			return
		}
		fmt.Fprint(w, "welcome, guest")
	}))
	w := httptest.NewRecorder()
	lobby.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Body)
	// Output: welcome, guest
}

func ExampleNew() {
	guard, err := connect.New(connect.Config{
		Sessions: verifier,
		Sources: []connect.Source{
			connect.Bearer(),
			connect.Subprotocol(),
			connect.Cookie(connect.CookieConfig{Name: "__Host-session", Origins: []string{"https://play.example"}}),
		},
		OnRefusal: func(r *http.Request, err error) {
			slog.Info("refused", "path", r.URL.Path, "error", err)
		},
	})
	fmt.Println(guard != nil, err)
	// Output: true <nil>
}

func ExampleAnyOf() {
	guard, err := connect.New(connect.Config{Sessions: verifier})
	if err != nil {
		panic(err)
	}
	handler := guard.Require(connect.AnyOf(connect.Group("moderators"), connect.Scope("play")))(http.NotFoundHandler())
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer eyJ…")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 404
}

func ExampleContextWithIdentity() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := connect.IdentityFromContext(r.Context())
		fmt.Fprint(w, id.Subject)
	})
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(connect.ContextWithIdentity(r.Context(), &identity.Identity{Subject: "user_2abc"}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output: user_2abc
}
