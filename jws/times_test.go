package jws

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

// TestDates reads nbf and iat in every spelling, and all three dates in every place: what the quick way reads must be what the thorough one
// does.
func TestDates(t *testing.T) {
	t.Parallel()
	signer, err := NewSecretSigner("", testvectors.Secret("hs-1"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Config{
		Keys: StaticKeys{signer.Key()}, Algorithms: []Algorithm{HS256}, Types: []string{"JWT"},
		Accept: AcceptAnyClaims, Now: func() time.Time { return testvectors.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		date string
		want int64 // -1 is malformed
		up   int64 // nbf, if it differs
	}{
		{date: "1000000000", want: 1000000000},
		{date: "1793534000", want: 1793534000},
		{date: "999999999", want: 999999999},
		{date: "1", want: 1},
		{date: "0", want: 0},
		{date: "1793534000.0", want: 1793534000},
		{date: "1793533999.5", want: 1793533999, up: 1793534000},
		{date: "179353400.5", want: 179353400, up: 179353401},
		{date: "17935340e2", want: -1},
		{date: "1793534000e0", want: -1},
		{date: "-793534000", want: -1},
		{date: `"793534000"`, want: -1},
		{date: "null", want: -1},
		{date: "[793534000]", want: -1},
		{date: "2534023008000", want: -1},
		{date: "99999999999999999999", want: -1},
	} {
		up := c.want
		if c.up != 0 {
			up = c.up
		}
		const exp = 9999999999
		for _, layout := range []string{
			`{"nbf":%[1]s,"iat":%[1]s,"exp":9999999999}`, `{"exp":9999999999,"nbf":%[1]s,"iat":%[1]s}`,
			`{"exp" : 9999999999 , "nbf" : %[1]s , "iat" : %[1]s }`, "{\"exp\":9999999999\n,\"nbf\":%[1]s\n,\"iat\":%[1]s\n}",
			`{"\u0065xp":9999999999,"n\u0062f":%[1]s,"\u0069at":%[1]s}`, `{"sub":"exp","exp":9999999999,"nbf":%[1]s,"iat":%[1]s,"x":1}`,
			`{"exp":9999999999,"nbf":%[1]s,"iat":%[1]s,"exp\"":1,"nbf\"x":"x","iat\u0022":[]}`,
		} {
			claims := fmt.Sprintf(layout, c.date)
			text, err := signer.Sign("JWT", []byte(claims))
			if err != nil {
				t.Fatal(err)
			}
			token, err := v.Verify(context.Background(), text)
			switch {
			case c.want < 0 && ReasonOf(err) != Malformed:
				t.Errorf("%s: %v, want malformed", claims, err)
			case c.want >= 0 && err != nil:
				t.Errorf("%s: %v", claims, err)
			case c.want >= 0 && (token.IssuedAt != c.want || token.NotBefore != up || token.Expiry != exp):
				t.Errorf("%s: iat %d, nbf %d, exp %d", claims, token.IssuedAt, token.NotBefore, token.Expiry)
			}
		}
	}
}

// FuzzDates: one pass over the claims reads what looking for each date by its name and reckoning with fractions does.
func FuzzDates(f *testing.F) {
	f.Add([]byte(`{"exp":1793534000,"nbf":1793533999.5,"iat":17}`))
	f.Add([]byte(`{"\u0065xp" : 1793534000.000 ,"exp\"":1,"ex":2,"iat":1e9,"nbf":null}`))
	for _, short := range []string{`{"exp":1}`, `{"":1}`, `{"nbf":12345678}`, `{"iat":1793534000}`, `{"iat":-1}`, `{"exp":"1"}`, `{"nbf":[]}`} {
		f.Add([]byte(short))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObject(data)
		if err != nil {
			return
		}
		token := Token{Claims: o}
		wrong := token.readDates()
		first := ""
		for _, date := range []struct {
			name string
			got  int64
		}{{"exp", token.Expiry}, {"nbf", token.NotBefore}, {"iat", token.IssuedAt}} {
			want, bad := slowDate(o.value(date.name), date.name == "nbf")
			if bad && first == "" {
				first = date.name
			}
			if !bad && date.got != want {
				t.Errorf("%s of %s: %d, want %d", date.name, data, date.got, want)
			}
		}
		if wrong != first {
			t.Errorf("%s: the first wrong date is %q, want %q", data, wrong, first)
		}
	})
}

func slowDate(raw string, up bool) (n int64, bad bool) {
	if raw == "" || strings.ContainsAny(raw, "eE-") {
		return 0, raw != "" // an exponent could be a huge number
	}
	r, ok := new(big.Rat).SetString(raw)
	if !ok {
		return 0, true
	}
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	if whole.Cmp(big.NewInt(maxDate)) > 0 {
		return 0, true
	}
	if up && !r.IsInt() {
		return whole.Int64() + 1, false
	}
	return whole.Int64(), false
}
