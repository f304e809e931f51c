package connect_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
)

func TestIdentityHeadersAreAllSet(t *testing.T) {
	player := identity.Player{Realm: "main", Subject: "a,b%\r\n"}
	expiry := time.Unix(1700000000, 0)
	tests := map[string]struct {
		p    connect.Principal
		want map[string]string
	}{
		"nobody": {connect.Principal{}, nil},
		"session": {connect.Principal{Session: &session.Session{
			Player: player, UserID: "u", ID: "s", ClientID: "c", Issuer: "https://i", Username: " Zoë ",
			Groups: []string{"a", "b,c"}, Roles: []string{"r"}, Scopes: []string{"x y"}, Expiry: expiry,
		}}, map[string]string{
			"X-Auth-User": "u", "X-Auth-Realm": "main", "X-Auth-Subject": "a%2Cb%25%0D%0A", "X-Auth-Username": "%20Zo%C3%AB%20",
			"X-Auth-Session": "s", "X-Auth-Client": "c", "X-Auth-Issuer": "https://i", "X-Auth-Groups": "a,b%2Cc",
			"X-Auth-Roles": "r", "X-Auth-Scopes": "x y", "X-Auth-Expires": "1700000000",
		}},
		"identity": {connect.Principal{Identity: &identity.Identity{Player: player, Session: "up", Expiry: expiry}}, map[string]string{
			"X-Auth-User": player.ID(true), "X-Auth-Realm": "main", "X-Auth-Subject": "a%2Cb%25%0D%0A", "X-Auth-Session": "up",
			"X-Auth-Expires": "1700000000",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"X-Auth-User": {"spoofed", "twice"}, "X-Auth-Groups": {"admin"}}
			connect.SetIdentityHeaders(header, test.p, true)
			for _, h := range connect.IdentityHeaders() {
				if got := header[h]; len(got) != 1 || got[0] != test.want[h] {
					t.Errorf("%s is %q, want %q once", h, got, test.want[h])
				}
			}
		})
	}
}
