package tokenapi_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// By RFC 7009 sections 2.1 and 2.2.
func TestRevoke(t *testing.T) {
	t.Parallel()
	for name, pick := range map[string]func(grant) string{
		"access token":  func(g grant) string { return g.AccessToken },
		"refresh token": func(g grant) string { return g.RefreshToken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g, other := w.signIn(), w.signIn()
			for range 2 { // the second time it is unknown, which is no error
				got := w.postForm("/oauth2/revoke", url.Values{"token": {pick(g)}, "token_type_hint": {"whatever"}})
				if got.Code != 200 || got.Body.Len() > 0 || got.Header().Get("Cache-Control") != "no-store" {
					t.Fatalf("%d %s", got.Code, got.Body)
				}
			}
			if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); jws.ReasonOf(err) != jws.Revoked {
				t.Errorf("the access token afterwards: %v", err)
			}
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken}, "client_id": {"game"}}
			if f := decode[failure](t, w.postForm("/oauth2/token", form), 400); f.Reason != jws.Revoked {
				t.Errorf("the refresh token afterwards: %+v", f)
			}
			if _, err := w.verifiers[0].Verify(t.Context(), other.AccessToken); err != nil {
				t.Errorf("another session of the player: %v", err)
			}
		})
	}
}

// A session that was signed out during a ban does not come back with its end.
func TestRevokeOfABannedPlayer(t *testing.T) {
	t.Parallel()
	for name, pick := range map[string]func(grant) string{
		"access token":  func(g grant) string { return g.AccessToken },
		"refresh token": func(g grant) string { return g.RefreshToken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g, other := w.signIn(), w.signIn()
			player := must(w.verifiers[0].Verify(t.Context(), g.AccessToken))(t).Player
			if err := w.ledger.Ban(t.Context(), player, "test", time.Time{}); err != nil {
				t.Fatal(err)
			}
			if got := w.postForm("/oauth2/revoke", url.Values{"token": {pick(g)}}); got.Code != 200 {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			if err := w.ledger.Unban(t.Context(), player); err != nil {
				t.Fatal(err)
			}
			if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); jws.ReasonOf(err) != jws.Revoked {
				t.Errorf("the session after the ban: %v", err)
			}
			if _, err := w.verifiers[0].Verify(t.Context(), other.AccessToken); err != nil {
				t.Errorf("another session of the player after the ban: %v", err)
			}
		})
	}
}

func TestRevokeUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, token := range []string{"x", "a.b.c", "spr_x", "spr_" + alice, w.identityToken("")} {
		if got := w.postForm("/oauth2/revoke", url.Values{"token": {token}}); got.Code != 200 {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
	if f := decode[failure](t, w.postForm("/oauth2/revoke", url.Values{}), 400); f.Error != "invalid_request" {
		t.Errorf("without a token: %+v", f)
	}
}

func TestRevokeByCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := url.Values{"token": {w.signIn().AccessToken}}
	for _, tt := range []struct {
		header string
		status int
	}{{basic("operator", "wrong"), 401}, {asGame(), 403}, {asOperator(), 200}} {
		got := w.postForm("/oauth2/revoke", form, tt.header)
		if got.Code != tt.status {
			t.Errorf("%d, want %d: %s", got.Code, tt.status, got.Body)
		}
	}
	if d := w.last(); d.Caller != "operator" || !d.Allowed || d.PlayerID != alice {
		t.Errorf("decision %+v", d)
	}
}

func TestRevokeWithTheStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	w.store.away.Store(true)
	for _, token := range []string{g.AccessToken, g.RefreshToken} {
		if f := decode[failure](t, w.postForm("/oauth2/revoke", url.Values{"token": {token}}), 503); f.Error != "temporarily_unavailable" {
			t.Errorf("%+v: what was not revoked must not be acknowledged", f)
		}
	}
}
