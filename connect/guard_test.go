package connect_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func TestNewIsClosedByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name   string
		config connect.Config
		want   string
	}{
		{"no verifier", connect.Config{}, "Sessions or Identities is required"},
		{"both without the issuer", connect.Config{Sessions: w.verifier, Identities: w.identities}, "SessionIssuer is required"},
		{"empty source", connect.Config{Sessions: w.verifier, Sources: []connect.Source{{}}}, "Sources[0] is empty"},
		{"query without name", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.Query("")}}, "Query needs"},
		{"cookie without name", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.Cookie(connect.CookieConfig{Origins: []string{page}})}}, "Cookie needs Name"},
		{"cookie without origins", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.Bearer(), connect.Cookie(connect.CookieConfig{Name: "s"})}}, "Sources[1]: a cookie needs Origins"},
		{"wildcard origin", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.Cookie(connect.CookieConfig{Name: "s", Origins: []string{"*"}})}}, `origin "*"`},
		{"origin with a path", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.ClerkCookie(connect.ClerkCookieConfig{Origins: []string{page + "/"}})}}, "nothing more"},
		{"ticket without redeemer", connect.Config{Sessions: w.verifier, Sources: []connect.Source{connect.Ticket(connect.TicketConfig{Name: "t"})}}, "Ticket needs"},
		{"realm that breaks out", connect.Config{Sessions: w.verifier, Realm: `a", error="b`}, "Realm must be printable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := connect.New(tt.config)
			if err == nil || !strings.HasPrefix(err.Error(), "connect: ") || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("New: %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRequireByBearer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.sessionToken()
	forged := good[:len(good)-8] + "AAAAAAAA"
	handler := w.guard(connect.Config{}).Require()(hello)
	tests := []struct {
		name    string
		headers []string
		status  int
		reason  jws.Reason
	}{
		{"good", []string{"Authorization: Bearer " + good}, 200, ""},
		{"scheme in another case", []string{"Authorization: bEARER " + good}, 200, ""},
		{"several spaces", []string{"Authorization: Bearer   " + good}, 200, ""},
		{"none", nil, 401, connect.MissingToken},
		{"basic", []string{"Authorization: Basic Zm9vOmJhcg=="}, 401, connect.MissingToken},
		{"bare token", []string{"Authorization: " + good}, 401, connect.MissingToken},
		{"empty", []string{"Authorization: Bearer "}, 400, connect.InvalidRequest},
		{"scheme alone", []string{"Authorization: Bearer"}, 400, connect.InvalidRequest},
		{"two tokens in one", []string{"Authorization: Bearer " + good + " " + good}, 400, connect.InvalidRequest},
		{"header twice", []string{"Authorization: Bearer " + good, "Authorization: Bearer " + good}, 400, connect.InvalidRequest},
		{"basic and bearer", []string{"Authorization: Basic Zm9vOmJhcg==", "Authorization: Bearer " + good}, 400, connect.InvalidRequest},
		{"forged", []string{"Authorization: Bearer " + forged}, 401, jws.BadSignature},
		{"no token at all", []string{"Authorization: Bearer undefined"}, 401, jws.Malformed},
		{"identity token", []string{"Authorization: Bearer " + w.identityToken("")}, 401, jws.WrongType},
		{"in a cookie", []string{"Cookie: session=" + good}, 401, connect.MissingToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := serve(handler, request("GET", "/", tt.headers...))
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if tt.status == 200 {
				if got.Body.String() != "session of "+alice {
					t.Fatalf("body %q", got.Body)
				}
				return
			}
			if p := problemOf(t, got); p.Reason != tt.reason || p.Status != tt.status {
				t.Fatalf("problem %+v, want reason %s", p, tt.reason)
			}
		})
	}
}

func TestExplicitSourcesMustAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.sessionToken()
	w.nanos.Add(int64(time.Second))
	two := w.sessionToken()
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Cookie(connect.CookieConfig{Name: "s", Origins: []string{page}}),
		connect.Bearer(), connect.Query("access_token"), connect.Subprotocol(),
	}}).Require()(hello)
	offer := func(token string) string {
		return "Sec-WebSocket-Protocol: " + connect.SubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token)) + ", game.v1"
	}
	tests := []struct {
		name    string
		query   string
		headers []string
		status  int
	}{
		{"header and query, the same", "?access_token=" + one, []string{"Authorization: Bearer " + one}, 200},
		{"header and query, different", "?access_token=" + two, []string{"Authorization: Bearer " + one}, 400},
		{"all three, the same", "?access_token=" + one, []string{"Authorization: Bearer " + one, offer(one)}, 200},
		{"subprotocol differs", "", []string{"Authorization: Bearer " + one, offer(two)}, 400},
		{"query twice", "?access_token=" + one + "&access_token=" + one, nil, 400},
		{"explicit beats cookie", "", []string{"Authorization: Bearer " + one, "Cookie: s=" + two}, 200},
		{"a bad explicit one is not saved by a good cookie", "?access_token=bad", []string{"Cookie: s=" + one}, 401},
		{"basic beside a cookie", "", []string{"Authorization: Basic Zm9vOmJhcg==", "Cookie: s=" + one}, 200},
		{"an empty parameter is none", "?access_token=", []string{"Cookie: s=" + one}, 200},
		{"a broken query is no token", "?access_token=%zz", nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := serve(handler, request("GET", "/"+tt.query, tt.headers...)); got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{}).Allow()(hello)
	if got := serve(handler, request("GET", "/")); got.Body.String() != "nobody" || got.Code != 200 {
		t.Errorf("without a token: %d %s", got.Code, got.Body)
	}
	good := request("GET", "/", "Authorization: Bearer "+w.sessionToken())
	if got := serve(handler, good); got.Body.String() != "session of "+alice {
		t.Errorf("with a token: %d %s", got.Code, got.Body)
	}
	if got := serve(handler, request("GET", "/", "Authorization: Bearer x.y.z")); got.Code != 401 {
		t.Errorf("with a bad token: %d, want 401: it must not turn into nobody", got.Code)
	}
	away := w.guard(connect.Config{Sessions: brokenSessions{}}).Allow()(hello)
	if got := serve(away, good); got.Code != 503 || got.Header().Get("Retry-After") == "" {
		t.Errorf("with the store away: %d, want 503 and Retry-After", got.Code)
	}
}

func TestSessionsAndIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sessions: w.verifier, Identities: w.identities, SessionIssuer: service}).Require()(hello)
	for token, want := range map[string]string{
		w.sessionToken():      "session of " + alice,
		w.identityToken(""):   "identity of " + alice,
		"eyJhbGciOiJub25lIn0": "",
	} {
		got := serve(handler, request("GET", "/", "Authorization: Bearer "+token))
		if want == "" && got.Code != 401 || want != "" && got.Body.String() != want {
			t.Errorf("got %d %q, want %q", got.Code, got.Body, want)
		}
	}
}

func TestSessionsWithoutIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := testvectors32("nakama")
	nakama := must(session.NewNakamaVerifier(session.NakamaConfig{
		Realm: "players", Keys: [][]byte{secret}, Aliases: session.AliasOptional, Ledger: w.ledger, Now: w.now,
	}))(t)
	signer := must(jws.NewSecretSigner("", secret))(t)
	token := must(signer.Sign("JWT", []byte(`{"tid":"7f0c1a52-3c0b-4b7e-8f55-3a8a54b21f10","uid":"`+alice+`","usn":"alice","exp":1793534460,"iat":1793534400}`)))(t)
	handler := w.guard(connect.Config{Sessions: nakama, Identities: w.identities, SessionIssuer: connect.NoIssuer}).Require()(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if s, ok := connect.SessionFromContext(r.Context()); ok {
				_, _ = w.Write([]byte(s.UserID))
			}
		}))
	if got := serve(handler, request("GET", "/", "Authorization: Bearer "+token)); got.Body.String() != alice {
		t.Fatalf("got %d %q, want the user id", got.Code, got.Body)
	}
}

func TestRevokedAndBanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.sessionToken()
	handler := w.guard(connect.Config{}).Require()(hello)
	r := request("GET", "/", "Authorization: Bearer "+token)
	s := must(w.verifier.Verify(t.Context(), token))(t)
	if err := w.ledger.RevokeSession(t.Context(), s, "test"); err != nil {
		t.Fatal(err)
	}
	got := serve(handler, r)
	if p := problemOf(t, got); p.Reason != jws.Revoked || got.Code != 401 || p.Check != jws.CheckRevocation {
		t.Errorf("after the revocation: %d %+v", got.Code, p)
	}
	if err := w.ledger.Ban(t.Context(), s.Player, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	got = serve(handler, r)
	if p := problemOf(t, got); p.Reason != jws.Banned || got.Code != 403 || got.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("after the ban: %d %+v %v", got.Code, p, got.Header())
	}
}

func TestIdentitiesOfBannedPlayers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Identities: w.identities, Revocations: w.ledger}).Require()(hello)
	r := request("GET", "/", "Authorization: Bearer "+w.identityToken(""))
	if got := serve(handler, r); got.Code != 200 {
		t.Fatalf("before the ban: %d %s", got.Code, got.Body)
	}
	if err := w.ledger.Ban(t.Context(), identity.Player{Realm: "players", Subject: alice}, "test", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := serve(handler, r); got.Code != 403 || problemOf(t, got).Reason != jws.Banned {
		t.Errorf("after the ban: %d %s", got.Code, got.Body)
	}
}

// A verifier of one's own that answers neither somebody nor an error lets nobody in.
func TestVerifiersThatDecideNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, guard := range map[string]*connect.Guard{
		"session":  w.guard(connect.Config{Sessions: fixed{}}),
		"identity": w.guard(connect.Config{Identities: fixedIdentity{}}),
		"ticket": w.guard(connect.Config{Sessions: fixed{}, Sources: []connect.Source{
			connect.Ticket(connect.TicketConfig{Name: "ticket", Redeemer: fixed{}}), connect.Bearer(),
		}}),
	} {
		for _, handler := range []http.Handler{guard.Require()(hello), guard.Allow()(hello)} {
			r := request("GET", "/", "Authorization: Bearer x")
			if name == "ticket" {
				r = request("GET", "/?ticket=x")
			}
			if got := serve(handler, r); got.Code != 503 {
				t.Errorf("%s: %d %s, want 503", name, got.Code, got.Body)
			}
		}
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told error
	guard := w.guard(connect.Config{
		OnRefusal: func(_ *http.Request, err error) { told = err },
		Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		},
	})
	got := serve(guard.Require()(hello), request("GET", "/"))
	if got.Code != http.StatusSeeOther || jws.ReasonOf(told) != connect.MissingToken {
		t.Errorf("status %d, told %v", got.Code, told)
	}
}

func TestTokenForRelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guard := w.guard(connect.Config{Sources: []connect.Source{
		connect.Bearer(), connect.Ticket(connect.TicketConfig{Name: "ticket", Redeemer: w.tickets}),
	}})
	if token, err := guard.Token(request("GET", "/", "Authorization: Bearer anything")); token != "anything" || err != nil {
		t.Errorf("Token: %q, %v", token, err)
	}
	for _, target := range []string{"/", "/?ticket=spt_x"} {
		if token, err := guard.Token(request("GET", target)); token != "" || jws.ReasonOf(err) != connect.MissingToken {
			t.Errorf("Token of %s: %q, %v", target, token, err)
		}
	}
}

func TestVary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Bearer(), connect.Cookie(connect.CookieConfig{Name: "s", Origins: []string{page}}),
	}}).Allow()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Accept") }))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Encoding")
		handler.ServeHTTP(w, r)
	})
	for range 2 {
		if got := serve(handler, request("GET", "/")).Header()["Vary"]; strings.Join(got, ",") != "Authorization,Cookie,Origin,Sec-Fetch-Site,Accept" {
			t.Errorf("Vary %q", got)
		}
		if got := serve(outer, request("GET", "/")).Header()["Vary"]; strings.Join(got, ",") != "Accept-Encoding,Authorization,Cookie,Origin,Sec-Fetch-Site,Accept" {
			t.Errorf("Vary %q behind another middleware", got)
		}
	}
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.sessionToken()
	forged := token[:len(token)-8] + "AAAAAAAA"
	var texts []string
	guard := w.guard(connect.Config{
		Sources:   []connect.Source{connect.Bearer(), connect.Query("access_token"), connect.Subprotocol()},
		OnRefusal: func(_ *http.Request, err error) { texts = append(texts, err.Error()) },
	})
	for _, r := range []*http.Request{
		request("GET", "/", "Authorization: Bearer "+forged),
		request("GET", "/?access_token="+forged),
		request("GET", "/?access_token="+token, "Authorization: Bearer "+forged),
		request("GET", "/", "Sec-WebSocket-Protocol: "+connect.SubprotocolPrefix+token),
	} {
		got := serve(guard.Require(connect.Scope("admin"))(hello), r)
		texts = append(texts, got.Body.String(), headerText(got))
	}
	for _, part := range strings.Split(token, ".") {
		if strings.Contains(strings.Join(texts, "\n"), part) {
			t.Errorf("a part of the token is in an answer or an error:\n%s", strings.Join(texts, "\n"))
		}
	}
}

func headerText(w *httptest.ResponseRecorder) string {
	var b strings.Builder
	_ = w.Header().Write(&b)
	return b.String()
}
