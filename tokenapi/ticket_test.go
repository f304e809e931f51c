package tokenapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

type ticket struct {
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expires_at"`
}

func TestTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	issued := decode[ticket](t, w.post("/v1/ticket", "", "", "Authorization: Bearer "+g.AccessToken), 200)
	if !strings.HasPrefix(issued.Ticket, "spt_") || !issued.ExpiresAt.Equal(w.now().Add(30*time.Second)) {
		t.Errorf("ticket %+v", issued)
	}
	got := w.postJSON("/v1/ticket/redeem", fmt.Sprintf(`{"ticket":%q}`, issued.Ticket), asGame())
	doc := decode[map[string]any](t, got, 200)
	if doc["active"] != true || doc["sub"] != alice || strings.Contains(got.Body.String(), g.AccessToken) {
		t.Errorf("redeemed: %s", got.Body)
	}
	f := decode[failure](t, w.postJSON("/v1/ticket/redeem", fmt.Sprintf(`{"ticket":%q}`, issued.Ticket), asGame()), 400)
	if f.Reason != jws.Replayed || f.Status != 400 {
		t.Errorf("a second time: %+v", f)
	}
}

func TestTicketNeedsASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.post("/v1/ticket", "", "")
	if got.Code != 401 || got.Header().Get("WWW-Authenticate") != `Bearer realm="`+service+`"` {
		t.Errorf("%d %q", got.Code, got.Header().Get("WWW-Authenticate"))
	}
	got = w.post("/v1/ticket", "", "", "Authorization: Bearer "+w.identityToken(""))
	if f := decode[failure](t, got, 401); f.Reason != jws.WrongType {
		t.Errorf("with an identity token: %+v", f)
	}
	bearer := "Authorization: Bearer " + w.signIn().AccessToken
	for body, status := range map[string]int{`{"audience":7}`: 400, `{"x":"y"}`: 400, `{"audience":"a","audience":"b"}`: 400, `[]`: 400, `{"audience":"` + strings.Repeat("x", 40<<10) + `"}`: 413} {
		if got := w.postJSON("/v1/ticket", body, bearer); got.Code != status {
			t.Errorf("%.20s: %d, want %d", body, got.Code, status)
		}
	}
	if got := w.post("/v1/ticket", "text/plain", `{"audience":"a"}`, bearer); got.Code != 415 {
		t.Errorf("text/plain: %d", got.Code)
	}
	w.store.away.Store(true)
	if got := w.post("/v1/ticket", "", "", bearer); got.Code != 503 || got.Header().Get("Retry-After") == "" {
		t.Errorf("with the store away: %d", got.Code)
	}
}

func TestTicketBindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.BindTicketAddress = true
	w.build()
	bearer := "Authorization: Bearer " + w.signIn().AccessToken
	for _, tt := range []struct {
		name, more string
		status     int
		reason     jws.Reason
	}{
		{"all", `,"audience":"arena","origin":"` + page + `","address":"192.0.2.1"`, 200, ""},
		{"no audience", `,"origin":"` + page + `","address":"192.0.2.1"`, 400, jws.WrongAudience},
		{"no origin", `,"audience":"arena","address":"192.0.2.1"`, 400, jws.WrongClaim},
		{"another address", `,"audience":"arena","origin":"` + page + `","address":"192.0.2.2"`, 400, jws.WrongClaim},
	} {
		issued := decode[ticket](t, w.postJSON("/v1/ticket", `{"audience":"arena"}`, bearer, "Origin: "+page), 200)
		got := w.postJSON("/v1/ticket/redeem", fmt.Sprintf(`{"ticket":%q%s}`, issued.Ticket, tt.more), asGame())
		if f := decode[failure](t, got, tt.status); f.Reason != tt.reason {
			t.Errorf("%s: %+v, want %s", tt.name, f, tt.reason)
		}
	}
}

func TestRedeemHonoursRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	issued := decode[ticket](t, w.post("/v1/ticket", "", "", "Authorization: Bearer "+g.AccessToken), 200)
	if got := w.postJSON("/v1/admin/ban", `{"realm":"players","subject":"`+alice+`"}`, asOperator()); got.Code != 204 {
		t.Fatal(got.Code)
	}
	f := decode[failure](t, w.postJSON("/v1/ticket/redeem", fmt.Sprintf(`{"ticket":%q}`, issued.Ticket), asGame()), 403)
	if f.Reason != jws.Banned {
		t.Errorf("%+v", f)
	}
	if f := decode[failure](t, w.postJSON("/v1/ticket/redeem", `{}`, asGame()), 400); f.Detail != "The member ticket is required." {
		t.Errorf("%+v", f)
	}
}
