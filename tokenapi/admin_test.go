package tokenapi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
)

func newGet(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	who := `"realm":"players","subject":"` + alice + `"`
	tests := []struct {
		name, path, body string
		reason           jws.Reason
	}{
		{"session", "revoke", `{"session":"SID","reason":"ticket 7"}`, jws.Revoked},
		{"upstream session", "revoke", `{"realm":"players","upstream":"upstream-1"}`, jws.Revoked},
		{"cut-off", "cutoff", `{` + who + `}`, jws.Revoked},
		{"ban", "ban", `{` + who + `,"reason":"cheating"}`, jws.Banned},
		{"ban by backend id", "ban", `{"user_id":"nakama-7"}`, jws.Banned},
		{"ban for a time", "ban", `{` + who + `,"until":"` + until + `"}`, jws.Banned},
		{"unban", "unban", `{` + who + `}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := w.signIn().AccessToken
			s := must(w.verifiers[0].Verify(t.Context(), token))(t)
			if err := w.ledger.Learn(t.Context(), "nakama-7", identity.Player{Realm: "players", Subject: alice}); err != nil {
				t.Fatal(err)
			}
			got := w.postJSON("/v1/admin/"+tt.path, strings.Replace(tt.body, "SID", s.ID, 1), asOperator())
			if got.Code != 204 || got.Body.Len() > 0 {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			if _, err := w.verifiers[0].Verify(t.Context(), token); jws.ReasonOf(err) != tt.reason {
				t.Errorf("afterwards: %v, want %q", err, tt.reason)
			}
			if d := w.last(); !d.Allowed || d.Caller != "operator" || d.Endpoint != "/v1/admin/"+tt.path || d.Player.Realm == "" && d.Session == "" {
				t.Errorf("decision %+v", d)
			}
		})
	}
}

func TestUnbanEndsABan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.signIn().AccessToken
	body := `{"realm":"players","subject":"` + alice + `"}`
	for _, action := range []string{"ban", "unban"} {
		w.nanos.Add(int64(time.Second))
		if got := w.postJSON("/v1/admin/"+action, body, asOperator()); got.Code != 204 {
			t.Fatalf("%s: %d %s", action, got.Code, got.Body)
		}
	}
	if _, err := w.verifiers[0].Verify(t.Context(), token); err != nil {
		t.Errorf("after the unban: %v", err)
	}
}

func TestAdminRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name, path, body string
		status           int
	}{
		{"no body", "ban", ``, 400},
		{"no realm", "ban", `{"subject":"x"}`, 400},
		{"unknown realm", "ban", `{"realm":"player","subject":"x"}`, 400},
		{"no subject", "cutoff", `{"realm":"players"}`, 400},
		{"unknown backend id", "unban", `{"user_id":"nobody"}`, 400},
		{"both", "ban", `{"realm":"players","subject":"x","user_id":"y"}`, 400},
		{"a time for a cut-off", "cutoff", `{"realm":"players","subject":"x","until":"2030-01-01T00:00:00Z"}`, 400},
		{"a time that is none", "ban", `{"realm":"players","subject":"x","until":"tomorrow"}`, 400},
		{"a time gone by", "ban", `{"realm":"players","subject":"x","until":"2020-01-01T00:00:00Z"}`, 400},
		{"a number", "ban", `{"realm":"players","subject":7}`, 400},
		{"a member twice", "ban", `{"realm":"players","subject":"x","subject":"y"}`, 400},
		{"a member in another case", "ban", `{"Realm":"players","subject":"x"}`, 400},
		{"an unknown member", "ban", `{"realm":"players","subject":"x","forever":"yes"}`, 400},
		{"a control character", "ban", `{"realm":"players","subject":"a\nb"}`, 400},
		{"a long reason", "ban", fmt.Sprintf(`{"realm":"players","subject":"x","reason":%q}`, strings.Repeat("x", 257)), 400},
		{"no session", "revoke", `{}`, 400},
		{"upstream without realm", "revoke", `{"upstream":"x"}`, 400},
		{"session and upstream", "revoke", `{"session":"x","realm":"players","upstream":"y"}`, 400},
		{"too large", "revoke", `{"session":"` + strings.Repeat("x", 40<<10) + `"}`, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := decode[failure](t, w.postJSON("/v1/admin/"+tt.path, tt.body, asOperator()), tt.status)
			if f.Detail == "" || f.Status != tt.status {
				t.Errorf("%+v", f)
			}
			if d := w.last(); d.Allowed || d.Err == nil {
				t.Errorf("decision %+v", d)
			}
		})
	}
	if got := w.post("/v1/admin/ban", "text/plain", `{"realm":"players","subject":"x"}`, asOperator()); got.Code != 415 {
		t.Errorf("text/plain: %d", got.Code)
	}
}

func TestAdminPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, action := range []string{"revoke", "cutoff", "ban", "unban"} {
		for header, status := range map[string]int{asGame(): 403, basic("operator", "x"): 401} {
			got := w.postJSON("/v1/admin/"+action, `{"realm":"players","subject":"x"}`, header)
			if f := decode[failure](t, got, status); f.Status != status || got.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %+v", action, f)
			}
		}
	}
}

func TestAdminWithTheStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.away.Store(true)
	for _, action := range []string{"cutoff", "ban", "unban"} {
		got := w.postJSON("/v1/admin/"+action, `{"realm":"players","subject":"x"}`, asOperator())
		if f := decode[failure](t, got, 503); f.Reason != jws.Unavailable || got.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %+v: what is not durable must not be acknowledged", action, f)
		}
	}
}
