package connect_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

func TestCookieOrigins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Cookie(connect.CookieConfig{Name: "__Host-session", Origins: []string{page}}),
	}}).Require()(hello)
	cookie := "Cookie: theme=dark; __Host-session=" + w.sessionToken()
	const upgrade = "Upgrade: websocket"
	tests := []struct {
		name    string
		method  string
		headers []string
		status  int
	}{
		{"a page of the same site", "GET", nil, 200},
		{"same origin", "GET", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"typed into the address bar", "GET", []string{"Sec-Fetch-Site: none"}, 200},
		{"unsafe from our page", "POST", []string{"Origin: " + page}, 200},
		{"unsafe from another", "POST", []string{"Origin: https://evil.example"}, 403},
		{"unsafe without Origin", "POST", nil, 403},
		{"unsafe from a subdomain", "DELETE", []string{"Origin: https://x.play.example"}, 403},
		{"unsafe from null", "PUT", []string{"Origin: null"}, 403},
		{"unsafe with two origins", "POST", []string{"Origin: " + page, "Origin: " + page}, 403},
		{"unsafe, other scheme", "POST", []string{"Origin: http://play.example"}, 403},
		{"unsafe, other port", "POST", []string{"Origin: " + page + ":8443"}, 403},
		{"unknown method", "PROPFIND", nil, 403},
		{"socket from our page", "GET", []string{upgrade, "Origin: " + page}, 200},
		{"socket from another", "GET", []string{upgrade, "Origin: https://evil.example"}, 403},
		{"socket without Origin", "GET", []string{upgrade}, 403},
		{"socket whose Upgrade a proxy kept", "GET", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, 403},
		{"cross-site script", "GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, 403},
		{"another page, by a browser that says no more", "GET", []string{"Origin: https://evil.example"}, 403},
		{"our page, by a browser that says no more", "GET", []string{"Origin: " + page}, 200},
		{"cross-site alone", "GET", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"cross-site from an allowed page", "GET", []string{"Sec-Fetch-Site: cross-site", "Origin: " + page}, 200},
		{"a followed link", "GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200},
		{"a cross-site frame", "GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"a cross-site form", "POST", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Origin: https://evil.example"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := serve(handler, request(tt.method, "/", append(tt.headers, cookie)...))
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if tt.status == 403 && problemOf(t, got).Reason != connect.WrongOrigin {
				t.Fatalf("%s, want wrong_origin", got.Body)
			}
		})
	}
	if got := serve(handler, request("POST", "/", "Origin: https://evil.example")); got.Code != http.StatusUnauthorized {
		t.Errorf("without a cookie: %d, want 401", got.Code)
	}
}

func TestCookieTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.guard(connect.Config{Sources: []connect.Source{
		connect.Cookie(connect.CookieConfig{Name: "s", Origins: []string{page}}),
	}}).Require()(hello)
	token := w.sessionToken()
	if got := serve(handler, request("GET", "/", "Cookie: s="+token+"; s="+token)); got.Code != 200 {
		t.Errorf("the same twice: %d", got.Code)
	}
	if got := serve(handler, request("GET", "/", "Cookie: s="+token+"; s=x")); problemOf(t, got).Reason != connect.InvalidRequest {
		t.Errorf("two different: %d %s", got.Code, got.Body)
	}
}

// The suffixes are those of @clerk/shared's own tests of getCookieSuffix.
func TestClerkCookieSuffix(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"pk_live_Y2xlcmsuY2xlcmsuZGV2JA": "1Z8AzTQD",
		"pk_test_Y2xlcmsuY2xlcmsuZGV2JA": "QvfNY2dr",
	} {
		if got := connect.ClerkCookieSuffix(key); got != want {
			t.Errorf("ClerkCookieSuffix(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestClerkCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.sessionToken()
	w.nanos.Add(int64(time.Second))
	other := w.sessionToken()
	guard := func(key string) http.Handler {
		return w.guard(connect.Config{Sources: []connect.Source{
			connect.RawBearer(), connect.ClerkCookie(connect.ClerkCookieConfig{PublishableKey: key, Origins: []string{page}}),
		}}).Require()(hello)
	}
	known, unknown := guard("pk_live_Y2xlcmsuY2xlcmsuZGV2JA"), guard("")
	tests := []struct {
		name    string
		handler http.Handler
		cookie  string
		status  int
		reason  jws.Reason
	}{
		{"plain", unknown, "__session=" + good, 200, ""},
		{"suffixed preferred", unknown, "__session=bad; __session_1Z8AzTQD=" + good, 200, ""},
		{"two instances, unknown which", unknown, "__session_1Z8AzTQD=" + good + "; __session_QvfNY2dr=" + other, 400, connect.InvalidRequest},
		{"two instances, ours known", known, "__session_QvfNY2dr=bad; __session_1Z8AzTQD=" + good + "; __session=bad", 200, ""},
		{"ours absent, plain there", known, "__session_QvfNY2dr=bad; __session=" + good, 200, ""},
		{"only another instance's", known, "__session_QvfNY2dr=" + good, 401, connect.MissingToken},
		{"empty suffixed", unknown, "__session_1Z8AzTQD=; __session=" + good, 200, ""},
		{"another product's", unknown, "__sessions=" + good, 401, connect.MissingToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := serve(tt.handler, request("GET", "/", "Cookie: "+tt.cookie))
			if got.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", got.Code, tt.status, got.Body)
			}
			if tt.status != 200 && problemOf(t, got).Reason != tt.reason {
				t.Fatalf("%s, want %s", got.Body, tt.reason)
			}
		})
	}
}
