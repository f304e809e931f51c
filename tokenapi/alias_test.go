package tokenapi_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

// TestAlias shows that a player whom a backend names by its own id is then the one whom an operator bans by the subject.
func TestAlias(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"realm":"players","subject":"` + alice + `","user_id":"nakama-7"}`
	for range 2 { // again at every sign-in
		if got := w.postJSON("/v1/admin/alias", body, asPlugin()); got.Code != 204 || got.Body.Len() > 0 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	if p, known := w.ledger.PlayerOf("nakama-7"); !known || p != (identity.Player{Realm: "players", Subject: alice}) {
		t.Errorf("the ledger knows %+v %v", p, known)
	}
	if d := w.last(); !d.Allowed || d.Caller != "plugin" || d.Endpoint != "/v1/admin/alias" || d.Player.Subject != alice {
		t.Errorf("decision %+v", d)
	}
	if n := w.ledger.State().Aliases; n != 1 {
		t.Errorf("%d aliases", n)
	}
}

func TestAliasRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, body := range map[string]string{
		"no body": ``, "no user_id": `{"realm":"players","subject":"x"}`, "no subject": `{"realm":"players","user_id":"x"}`,
		"no realm": `{"subject":"x","user_id":"y"}`, "unknown realm": `{"realm":"player","subject":"x","user_id":"y"}`,
		"a reason": `{"realm":"players","subject":"x","user_id":"y","reason":"z"}`, "a number": `{"realm":"players","subject":"x","user_id":7}`,
		"a member twice":      `{"realm":"players","subject":"x","user_id":"y","user_id":"z"}`,
		"a control character": `{"realm":"players","subject":"x","user_id":"a\nb"}`,
		"a long id":           `{"realm":"players","subject":"x","user_id":"` + strings.Repeat("x", 1025) + `"}`,
	} {
		if f := decode[failure](t, w.postJSON("/v1/admin/alias", body, asPlugin()), 400); f.Detail == "" {
			t.Errorf("%s: %+v", name, f)
		}
		if d := w.last(); d.Allowed || d.Err == nil {
			t.Errorf("%s: decision %+v", name, d)
		}
	}
	body := `{"realm":"players","subject":"x","user_id":"y"}`
	for header, status := range map[string]int{asOperator(): 403, asGame(): 403, basic("plugin", "x"): 401, "": 401} {
		decode[failure](t, w.postJSON("/v1/admin/alias", body, header), status)
	}
	if got := w.postJSON("/v1/admin/ban", `{"realm":"players","subject":"x"}`, asPlugin()); got.Code != 403 {
		t.Errorf("who may name players bans one: %d", got.Code)
	}
	if _, known := w.ledger.PlayerOf("y"); known {
		t.Error("a refused request was taken")
	}
	w.store.away.Store(true)
	if f := decode[failure](t, w.postJSON("/v1/admin/alias", body, asPlugin()), 503); f.Reason != jws.Unavailable {
		t.Errorf("with the store away: %+v: what is not durable must not be acknowledged", f)
	}
}
