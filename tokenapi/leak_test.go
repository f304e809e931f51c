package tokenapi_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/tokenapi"
)

// No token is in any answer but the grant and the ticket, and none is in a decision.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	subject, g := w.identityToken(""), w.signIn()
	forged := g.AccessToken[:len(g.AccessToken)-8] + "AAAAAAAA"
	w.forward(tokenapi.Traefik)
	bearer := "Authorization: Bearer "
	answers := []*httptest.ResponseRecorder{
		w.postForm("/oauth2/token", exchangeForm(subject, "audience=casino")),
		w.postForm("/oauth2/token", exchangeForm(forged)),
		w.postForm("/oauth2/token", exchangeForm(subject), basic("game", operatorSecret)),
		w.postForm("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken}, "client_id": {"other"}}),
		w.postForm("/oauth2/introspect", url.Values{"token": {g.AccessToken}}, asGame()),
		w.postForm("/oauth2/introspect", url.Values{"token": {forged}}, basic("game server", operatorSecret)),
		w.postForm("/oauth2/revoke?token="+forged, url.Values{"token": {forged}}),
		w.postForm("/oauth2/revoke", url.Values{"token": {g.AccessToken}}),
		w.post("/v1/ticket", "", "", bearer+forged),
		w.postJSON("/v1/ticket/redeem", fmt.Sprintf(`{"ticket":%q}`, forged), asGame()),
		w.postForm("/v1/backchannel-logout", url.Values{"logout_token": {subject}}),
		w.postJSON("/v1/admin/ban", fmt.Sprintf(`{"realm":%q,"subject":"x"}`, subject), asOperator()),
		w.do(ask(tokenapi.Traefik, "GET", "/?token="+forged)),
		w.do(ask(tokenapi.Traefik, "GET", "/?token="+forged), bearer+subject),
	}
	var text strings.Builder
	for _, answer := range answers {
		_ = answer.Header().Write(&text)
		text.Write(answer.Body.Bytes())
	}
	for _, d := range w.decisions {
		fmt.Fprintf(&text, "%+v %v\n", d, d.Err)
	}
	for name, secret := range map[string]string{
		"subject token": subject, "access token": g.AccessToken, "forged token": forged, "refresh token": g.RefreshToken,
		"operator's secret": operatorSecret, "game's secret": gameSecret,
	} {
		for _, part := range strings.Split(secret, ".") {
			if strings.Contains(text.String(), part) {
				t.Errorf("a part of the %s is in an answer or a decision", name)
			}
		}
	}
}

// No secret of a caller is in a printed configuration or API.
func TestPrintedConfigurationHidesSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := must(tokenapi.New(w.config))(t)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		printed := fmt.Sprintf(verb+verb, w.config, api)
		for _, secret := range []string{operatorSecret, gameSecret} {
			if strings.Contains(printed, secret) {
				t.Errorf("%s prints a secret", verb)
			}
		}
	}
	if got := fmt.Sprint(w.config.Callers[0]); got != `tokenapi.Caller("operator" ["revoke" "ban"])` {
		t.Errorf("the caller prints as %s", got)
	}
}
