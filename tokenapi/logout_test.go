package tokenapi_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/tokenapi"
)

func (w *world) logoutToken(jti, more string) string {
	claims := fmt.Sprintf(`{"iss":%q,"aud":"game","iat":%d,"exp":%d,"jti":%q,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}%s}`,
		provider, w.now().Unix(), w.now().Unix()+60, jti, more)
	return must(w.provider.Sign("logout+jwt", []byte(claims)))(w.tb)
}

// By OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8.
func TestBackchannelLogout(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]string{
		"by session": `,"sid":"upstream-1"`,
		"by player":  `,"sub":"` + alice + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.signIn()
			got := w.postForm("/v1/backchannel-logout", url.Values{"logout_token": {w.logoutToken("1", claims)}})
			if got.Code != 200 || got.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); jws.ReasonOf(err) != jws.Revoked {
				t.Errorf("the session afterwards: %v", err)
			}
			if d := w.last(); !d.Allowed || d.Issuer != provider || d.Player.Realm != "players" {
				t.Errorf("decision %+v", d)
			}
		})
	}
}

func TestBackchannelLogoutRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	good := w.logoutToken("1", `,"sid":"upstream-1"`)
	tests := []struct {
		name string
		form url.Values
		code string
	}{
		{"none", url.Values{}, "invalid_request"},
		{"nonsense", url.Values{"logout_token": {"x"}}, "invalid_request"},
		{"forged", url.Values{"logout_token": {good[:len(good)-8] + "AAAAAAAA"}}, "invalid_request"},
		{"an ID token", url.Values{"logout_token": {w.identityToken("")}}, "invalid_request"},
		{"with a nonce", url.Values{"logout_token": {w.logoutToken("2", `,"sid":"upstream-1","nonce":"n"`)}}, "invalid_request"},
		{"of nobody", url.Values{"logout_token": {w.logoutToken("3", "")}}, "invalid_request"},
	}
	for _, tt := range tests {
		got := w.postForm("/v1/backchannel-logout", tt.form)
		if f := decode[failure](t, got, 400); f.Error != tt.code || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	w.store.away.Store(true)
	if f := decode[failure](t, w.postForm("/v1/backchannel-logout", url.Values{"logout_token": {good}}), 400); f.Error != "temporarily_unavailable" {
		t.Errorf("with the store away: %+v", f)
	}
	if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); err != nil {
		t.Errorf("nothing of this may end the session: %v", err)
	}
}

// A sign-out that the store could not take is taken when the issuer sends the same token again, and only once.
func TestBackchannelLogoutComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.signIn()
	form := url.Values{"logout_token": {w.logoutToken("1", `,"sid":"upstream-1"`)}}
	w.store.away.Store(true)
	for range 2 {
		if f := decode[failure](t, w.postForm("/v1/backchannel-logout", form), 400); f.Reason != jws.Unavailable {
			t.Fatalf("with the store away: %+v", f)
		}
	}
	w.store.away.Store(false)
	if got := w.postForm("/v1/backchannel-logout", form); got.Code != 200 {
		t.Fatalf("with the store back: %d %s", got.Code, got.Body)
	}
	if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); jws.ReasonOf(err) != jws.Revoked {
		t.Errorf("the session afterwards: %v", err)
	}
	if f := decode[failure](t, w.postForm("/v1/backchannel-logout", form), 400); f.Reason != jws.Replayed {
		t.Errorf("once more: %+v", f)
	}
}

// webhook is the endpoint of a Clerk instance and the key that signs its messages.
type webhook struct {
	hook   *identity.ClerkWebhook
	secret []byte
}

func newWebhook(w *world, name string) webhook {
	secret := testvectors.Secret(name)
	return webhook{secret: secret, hook: must(identity.NewClerkWebhook(identity.ClerkWebhookConfig{
		Realm: "players", Issuer: "https://clerk.example", Secrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(secret)}, Now: w.now,
	}))(w.tb)}
}

// headers signs a message as Svix does.
func (h webhook) headers(w *world, body string) []string {
	stamp := strconv.FormatInt(w.now().Unix(), 10)
	mac := hmac.New(sha256.New, h.secret)
	fmt.Fprintf(mac, "msg_1.%s.%s", stamp, body)
	return []string{"Svix-Id: msg_1", "Svix-Timestamp: " + stamp, "Svix-Signature: v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

func TestClerkWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two, foreign := newWebhook(w, "clerk-1"), newWebhook(w, "clerk-2"), newWebhook(w, "clerk-3")
	w.config.ClerkWebhooks = []tokenapi.Webhook{one.hook, two.hook}
	w.build()
	g := w.signIn()
	ended := `{"type":"session.revoked","object":"event","data":{"id":"upstream-1","user_id":"` + alice + `"}}`
	if got := w.postJSON("/v1/clerk/webhook", ended, foreign.headers(w, ended)...); got.Code != 400 {
		t.Errorf("signed by nobody we know: %d", got.Code)
	}
	if got := w.postJSON("/v1/clerk/webhook", strings.Repeat(" ", 513<<10)); got.Code != 413 {
		t.Errorf("too large: %d", got.Code)
	}
	other := `{"type":"email.created","object":"event","data":{"id":"e"}}`
	if got := w.postJSON("/v1/clerk/webhook", other, one.headers(w, other)...); got.Code != 204 {
		t.Errorf("of no interest: %d %s", got.Code, got.Body)
	}
	w.store.away.Store(true)
	if got := w.postJSON("/v1/clerk/webhook", ended, two.headers(w, ended)...); got.Code != 503 {
		t.Errorf("with the store away it must come again: %d", got.Code)
	}
	w.store.away.Store(false)
	if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); err != nil {
		t.Fatalf("before: %v", err)
	}
	if got := w.postJSON("/v1/clerk/webhook", ended, two.headers(w, ended)...); got.Code != 204 {
		t.Fatalf("session.revoked: %d %s", got.Code, got.Body)
	}
	if _, err := w.verifiers[0].Verify(t.Context(), g.AccessToken); jws.ReasonOf(err) != jws.Revoked {
		t.Errorf("afterwards: %v", err)
	}
}
