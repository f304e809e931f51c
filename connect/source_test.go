package connect_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func testvectors32(name string) []byte { return testvectors.Secret(name) }

func TestRawBearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{connect.RawBearer()}}).Require()(hello)
	token := w.sessionToken()
	for header, status := range map[string]int{
		"Authorization: " + token:             200,
		"Authorization: Bearer " + token:      200,
		"Authorization: Basic Zm9vOmJhcg==":   401,
		"Authorization: " + token + " " + "x": 401,
	} {
		if got := serve(handler, request("GET", "/", header)); got.Code != status {
			t.Errorf("status %d, want %d: %s", got.Code, status, got.Body)
		}
	}
	if got := serve(handler, request("GET", "/", "Authorization: "+token, "Authorization: "+token)); got.Code != 400 {
		t.Errorf("header twice: %d, want 400", got.Code)
	}
}

func TestQueryIsNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{connect.Bearer(), connect.Query("token")}}).Require()(hello)
	token := w.sessionToken()
	if got := serve(handler, request("GET", "/?token="+token)); got.Code != 200 || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("by query: %d, Cache-Control %q, want no-store (RFC 6750 section 2.3)", got.Code, got.Header().Get("Cache-Control"))
	}
	if got := serve(handler, request("GET", "/", "Authorization: Bearer "+token)); got.Header().Get("Cache-Control") != "" {
		t.Errorf("by header: Cache-Control %q is the handler's to set", got.Header().Get("Cache-Control"))
	}
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen http.Header
	handler := w.guard(connect.Config{Sources: []connect.Source{connect.Subprotocol()}}).Require()(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { seen = r.Header }))
	encoded := connect.SubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(w.sessionToken()))
	tests := []struct {
		name    string
		headers []string
		status  int
	}{
		{"with a real one", []string{"Sec-WebSocket-Protocol: " + encoded + ", game.v2, game.v1"}, 200},
		{"in two headers", []string{"Sec-WebSocket-Protocol: game.v2", "Sec-WebSocket-Protocol: " + encoded + ",game.v1"}, 200},
		{"alone", []string{"Sec-WebSocket-Protocol: " + encoded}, 400},
		{"twice", []string{"Sec-WebSocket-Protocol: " + encoded + ", " + encoded + ", game.v1"}, 400},
		{"padded", []string{"Sec-WebSocket-Protocol: " + encoded + "==, game.v1"}, 400},
		{"empty", []string{"Sec-WebSocket-Protocol: " + connect.SubprotocolPrefix + ", game.v1"}, 400},
		{"no token", []string{"Sec-WebSocket-Protocol: game.v1"}, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/", tt.headers...)
			got := serve(handler, r)
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if tt.status != 200 {
				return
			}
			if offers := seen["Sec-Websocket-Protocol"]; len(offers) != 1 || offers[0] != "game.v2, game.v1" {
				t.Errorf("the handler sees %q", offers)
			}
			if !strings.Contains(strings.Join(r.Header["Sec-Websocket-Protocol"], ","), encoded) {
				t.Error("the caller's own request was changed")
			}
		})
	}
}

// A token that is in the Authorization header too is hidden and kept out of caches all the same.
func TestTokenInTwoPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen http.Header
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Bearer(), connect.Subprotocol(), connect.Query("token"),
	}}).Require()(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header }))
	token := w.sessionToken()
	offers := "Sec-WebSocket-Protocol: " + connect.SubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token)) + ", game.v1"
	got := serve(handler, request("GET", "/?token="+token, "Authorization: Bearer "+token, offers))
	if got.Code != 200 || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, Cache-Control %q", got.Code, got.Header().Get("Cache-Control"))
	}
	if offers := seen["Sec-Websocket-Protocol"]; len(offers) != 1 || offers[0] != "game.v1" {
		t.Errorf("the handler sees %q", offers)
	}
}

func TestTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Bearer(), connect.Ticket(connect.TicketConfig{Name: "ticket", Redeemer: w.tickets, Audience: "arena"}),
	}}).Require()(hello)
	issue := func(b session.Binding) string {
		ticket, _, err := w.tickets.Issue(t.Context(), w.sessionToken(), b)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	plain := issue(session.Binding{})
	tests := []struct {
		name    string
		ticket  string
		headers []string
		status  int
		reason  jws.Reason
	}{
		{"beside a token", plain, []string{"Authorization: Bearer " + w.sessionToken()}, 400, connect.InvalidRequest},
		{"once, not used up by the refusal before", plain, nil, 200, ""},
		{"twice", plain, nil, 401, jws.Replayed},
		{"malformed", "spt_x", nil, 401, jws.Malformed},
		{"bound to our origin, audience and address", issue(session.Binding{Origin: page, Audience: "arena", Address: "192.0.2.1"}), []string{"Origin: " + page}, 200, ""},
		{"from another origin", issue(session.Binding{Origin: page}), []string{"Origin: https://evil.example"}, 401, jws.WrongClaim},
		{"from another address", issue(session.Binding{Address: "192.0.2.77"}), nil, 401, jws.WrongClaim},
		{"for another audience", issue(session.Binding{Audience: "lobby"}), nil, 401, jws.WrongAudience},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := serve(handler, request("GET", "/?ticket="+tt.ticket, tt.headers...))
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if tt.status == 200 && got.Body.String() != "session of "+alice {
				t.Fatalf("body %q", got.Body)
			}
			if tt.status != 200 && problemOf(t, got).Reason != tt.reason {
				t.Fatalf("%s, want %s", got.Body, tt.reason)
			}
		})
	}
}
