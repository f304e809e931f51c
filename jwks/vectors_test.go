package jwks_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// TestVectors serves each document as an issuer would. The header keys lists the kids that can be looked up, "-" for a
// key that has none; skipped is how many keys were left out; says is a part of the error; issuers is Config.KeyIssuers.
func TestVectors(t *testing.T) {
	for _, v := range testvectors.Load(t, "testdata/vectors") {
		t.Run(v.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runVector(t, v) })
		})
	}
}

func runVector(t *testing.T, v testvectors.Vector) {
	config := jwks.Config{KeyIssuers: strings.Fields(v.Get("issuers"))}
	if v.Get("format") == "x509" {
		config.Format = jwks.X509Map
	}
	set := newSet(t, &issuer{handler: reply(200, v.Body)}, config)
	err := set.Refresh(context.Background())
	state := set.State()
	switch v.Get("expect") {
	case "accept":
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.Itoa(state.Skipped); got != v.Get("skipped") {
			t.Errorf("skipped %s keys, want %s", got, v.Get("skipped"))
		}
		if got := served(t, set, v.Body); !slices.Equal(got, strings.Fields(v.Get("keys"))) {
			t.Errorf("serves %q, want %q", got, v.Get("keys"))
		}
	case "refuse":
		if err == nil || v.Get("says") == "" || !strings.Contains(err.Error(), v.Get("says")) {
			t.Errorf("error %v, want one that says %q", err, v.Get("says"))
		}
		if state.Ready || state.Keys != 0 {
			t.Errorf("state %+v", state)
		}
	default:
		t.Errorf("expect: %q", v.Get("expect"))
	}
}

// served asks for every kid that the document has, and for none, and returns those that gave a key of that name.
func served(t *testing.T, set *jwks.Set, document string) []string {
	t.Helper()
	var jwkSet struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	var certificates map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &jwkSet) != nil || json.Unmarshal([]byte(document), &certificates) != nil {
		t.Fatal("the document is no JSON object")
	}
	var kids []string
	for kid := range certificates {
		kids = append(kids, kid)
	}
	for _, key := range jwkSet.Keys {
		kids = append(kids, key.Kid)
	}
	slices.Sort(kids)
	var found []string
	for _, kid := range slices.Compact(kids) {
		found = append(found, lookUpAll(set, kid)...)
	}
	return found
}

// lookUpAll returns the ids of the keys for a kid; without a kid, of those that have none in any algorithm.
func lookUpAll(set *jwks.Set, kid string) []string {
	var found []string
	for _, algorithm := range []jws.Algorithm{jws.RS256, jws.ES256, jws.EdDSA} {
		keys, _ := set.Keys(context.Background(), jws.Header{Algorithm: algorithm, KeyID: kid})
		for _, key := range keys {
			switch {
			case key.Algorithm() != algorithm:
			case key.ID() != "":
				found = append(found, key.ID())
			case kid == "":
				found = append(found, "-")
			}
		}
	}
	if kid == "" {
		found = slices.DeleteFunc(found, func(id string) bool { return id != "-" })
	}
	return found
}
