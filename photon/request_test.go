package photon

import (
	"encoding/json"
	"testing"
)

func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ query, contentType, body string }{
		{"secret=s&token=t", "", ""},
		{"Secret=s&TOKEN=t&token=u", "", ""},
		{"secret=s", "application/json", `{"token":"t","Exp":1,"a":{"b":[]}}`},
		{"", "application/json; charset=utf-8", `{"token":"t","secret":"s","Token":"u"}`},
		{"secret=s", "", "eyJhbGciOiJub25lIn0.e30."},
		{"secret=s", "application/x-www-form-urlencoded", "token=t&x=%zz"},
		{"secret=s", "text/plain", "\ufeff {\"token\":null}"},
		{"%", "a/b;c", "{"},
	} {
		f.Add(seed.query, seed.contentType, []byte(seed.body))
	}
	n := names{secret: "secret", token: "token"}
	f.Fuzz(func(t *testing.T, query, contentType string, body []byte) {
		p, trouble := n.parse(query, contentType, body)
		if trouble != "" && (p.secret != nil || p.token != nil) {
			t.Errorf("%q, and parameters all the same", trouble)
		}
		again, sameTrouble := n.parse(query, contentType, body)
		if trouble != sameTrouble || !equal(p.secret, again.secret) || !equal(p.token, again.token) {
			t.Error("the same request read twice gave two results")
		}
		fromQuery, trouble := n.parse(query, "", nil)
		if trouble == "" && fromQuery.secret != nil && !equal(fromQuery.secret, p.secret) && sameTrouble == "" {
			t.Error("the body's secret won over the query's")
		}
	})
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

func FuzzAnswer(f *testing.F) {
	f.Add("3f0c8a52-6f7e-5d3b-9a61-0c6a5b1f7d10", "Ada")
	f.Add("\"\\<>&", "\u2028\u202e\xff\ufeff ä@")
	f.Fuzz(func(t *testing.T, userID, username string) {
		if !usableUserID(userID) {
			return
		}
		body := answer{ResultCode: OK, UserID: userID, Nickname: nickname(username), ExpireAt: 1 << 62}.encode()
		var read struct {
			UserID   string `json:"UserId"`
			Nickname string
		}
		if err := json.Unmarshal(body, &read); err != nil || len(body) >= 1000 {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		if read.UserID != userID || len(read.Nickname) > maxNicknameBytes {
			t.Errorf("id %q and name %q of %q", read.UserID, read.Nickname, username)
		}
	})
}
