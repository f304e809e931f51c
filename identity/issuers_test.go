package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// every is a set with one issuer of each family, which shows that none overlaps another.
func every(tb testing.TB) *identity.Issuers {
	tb.Helper()
	all := policies(tb)
	var members []*identity.Issuer
	for _, name := range []string{
		"cognito-both", "clerk", "oidc", "auth0", "firebase-open", "supabase", "google", "apple", "discord", "microsoft-any",
		"epic-account", "epic-connect", "unity",
	} {
		members = append(members, all[name])
	}
	set, err := identity.NewIssuers(members...)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// TestIssuersJudgeAsTheirMembers: through the set every vector of a member's policy gets the member's verdict.
func TestIssuersJudgeAsTheirMembers(t *testing.T) {
	set, all := every(t), policies(t)
	judged := 0
	for _, family := range vectorFolders(t) {
		if family == "logout" || family == "webhook" {
			continue
		}
		for _, v := range testvectors.Load(t, "testdata/vectors/"+family) {
			id, err := set.Verify(t.Context(), v.Body)
			remembered, _ := set.Verify(t.Context(), v.Body) // from the second time on
			again, againErr := set.Verify(t.Context(), v.Body)
			if jws.ReasonOf(err) != jws.ReasonOf(againErr) || again != remembered || (id == nil) != (again == nil) || id != nil && again.Player != id.Player {
				t.Errorf("%s/%s: a later verdict differs from the first: %v, %v", family, v.Name, againErr, err)
			}
			// The vector's own policy may be another than the member's, so only what both accept is compared.
			alone, aloneErr := all[v.Get("policy")].Verify(t.Context(), v.Body)
			if err != nil || aloneErr != nil {
				continue
			}
			if alone.Player != id.Player || alone.Use != id.Use {
				t.Errorf("%s/%s: the set says %+v, the member %+v", family, v.Name, id.Player, alone.Player)
			}
			judged++
		}
	}
	if judged < 40 {
		t.Errorf("only %d vectors were accepted by the set", judged)
	}
}

func TestIssuersRefuseUnknown(t *testing.T) {
	_, err := every(t).Verify(t.Context(), resign(t, "oidc", "", "", `{"iss":"https://nobody.example"}`))
	var r *jws.Refusal
	if !errors.As(err, &r) || r.Reason != jws.WrongIssuer || r.Verified || r.Got != "" {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{oidcIssuer, clerkIssuer, "accounts.google.com", "{tenant}", "https://api.epicgames.dev[/…]", "anon"} {
		if !strings.Contains(r.Want, want) {
			t.Errorf("the refusal does not name %s: %s", want, r.Want)
		}
	}
	if strings.Contains(err.Error(), "nobody.example") {
		t.Errorf("the refusal quotes an unverified token: %v", err)
	}
}

func TestIssuersRefuseOverlap(t *testing.T) {
	c := common(t)
	issuer := func(i *identity.Issuer, err error) *identity.Issuer {
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	oidc := func(iss string) *identity.Issuer {
		return issuer(identity.NewOIDC(identity.OIDCConfig{Common: c, Issuer: iss, Audiences: []string{"game"}}))
	}
	all := policies(t)
	for _, row := range []struct {
		name string
		a, b *identity.Issuer
		ok   bool
	}{
		{"the same twice", all["oidc"], all["oidc"], false},
		{"two policies for one iss", all["cognito-access"], all["cognito-id"], false},
		{"one spelling of two in common", all["cognito-access"], all["cognito-replica"], false},
		{"an exact iss below a prefix", all["epic-connect"], oidc("https://api.epicgames.dev/auth"), false},
		{"an exact iss beside a prefix", all["epic-connect"], oidc("https://api.epicgames.dev.example"), true},
		{"Epic's two kinds", all["epic-connect"], all["epic-account"], true},
		{"two prefixes", all["epic-connect"], all["epic-connect-sandbox"], false},
		{"a tenant within any tenant", all["microsoft-any"], all["microsoft"], false},
		{"personal accounts within any tenant", all["microsoft-any"], oidc("https://login.microsoftonline.com/" + identity.MicrosoftConsumers + "/v2.0"), false},
		{"any tenant twice", all["microsoft-any"], all["microsoft-any"], false},
		{"a tenant's other path", all["microsoft-any"], oidc("https://login.microsoftonline.com/" + tenantA + "/v1.0"), true},
		{"prefix and tenants", all["microsoft-any"], all["epic-connect"], true},
	} {
		for _, pair := range [][]*identity.Issuer{{row.a, row.b}, {row.b, row.a}} {
			if _, err := identity.NewIssuers(pair...); (err == nil) != row.ok {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	}
	if _, err := identity.NewIssuers(); err == nil {
		t.Error("a set of no issuers was made")
	}
}

func TestIssuersDescribeThemselves(t *testing.T) {
	c := common(t)
	c.Realm = "staff"
	staff, err := identity.NewOIDC(identity.OIDCConfig{Common: c, Issuer: "https://staff.example", Audiences: []string{"game"}})
	if err != nil {
		t.Fatal(err)
	}
	w := &web{bodies: map[string]string{"https://appleid.apple.com/auth/keys": jwkSet(t, "", "rsa-1")}}
	apple, err := identity.NewApple(identity.AppleConfig{Common: w.online(), ClientIDs: []string{"example.game.ios"}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := identity.NewIssuers(staff, apple, policies(t)["google"])
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if got := set.Realms(); !slices.Equal(got, []string{"players", "staff"}) {
		t.Errorf("realms %v", got)
	}
	ready := func() string {
		var b strings.Builder
		for _, s := range set.State() {
			fmt.Fprintf(&b, "%s/%s:%v:%d ", s.Name, s.Realm, s.Ready, len(s.Keys))
		}
		return b.String()
	}
	if got, want := ready(), "oidc/staff:true:0 apple/players:false:1 google/players:true:0 "; got != want {
		t.Errorf("before: %s", got)
	}
	if err := set.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := ready(), "oidc/staff:true:0 apple/players:true:1 google/players:true:0 "; got != want {
		t.Errorf("after: %s", got)
	}
	text, err := json.Marshal(set.State()[2])
	if want := `{"name":"google","realm":"players","issuers":["https://accounts.google.com or accounts.google.com"],"ready":true}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	if apple.Name() != "apple" || apple.Realm() != "players" || !apple.Matches("https://appleid.apple.com") || apple.Matches("https://appleid.apple.com/") {
		t.Error("the issuer misdescribes itself")
	}
}

// TestWhatIsListedTwiceIsOneSource: a set of keys that no token leads to would be reported as never ready.
func TestWhatIsListedTwiceIsOneSource(t *testing.T) {
	c := (&web{}).online()
	twice := []string{tenantA, tenantA}
	microsoft, err := identity.NewMicrosoft(identity.MicrosoftConfig{Common: c, ClientIDs: []string{"game"}, Tenants: twice})
	if err != nil {
		t.Fatal(err)
	}
	cognito, err := identity.NewCognito(identity.CognitoConfig{
		Common: c, UserPoolID: pool, Regions: []string{"ap-south-1", "eu-central-1"}, ClientIDs: []string{client}, Uses: []identity.Use{identity.IDToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	set, err := identity.NewIssuers(microsoft, cognito)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for n, want := range []int{1, 4} {
		if s := set.State()[n]; len(s.Issuers) != want || len(s.Keys) != want {
			t.Errorf("%s has %v with %d sets of keys, want %d", s.Name, s.Issuers, len(s.Keys), want)
		}
	}
}

// TestCachedVerdictEnds: a remembered token is judged again by the clock and by its key.
func TestCachedVerdictEnds(t *testing.T) {
	clock := now()
	k := key(t, "rsa-1")
	c := identity.Common{Realm: "players", Keys: jws.StaticKeys{k}, Now: func() time.Time { return clock }}
	i, err := identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	set, err := identity.NewIssuers(i)
	if err != nil {
		t.Fatal(err)
	}
	shown := token(t, "clerk", "accepted-v2")
	for _, v := range []identity.Verifier{i, set} {
		if !remembered(t, v, shown) {
			t.Error("the verdict was not remembered")
		}
	}
	clock = verify(t, set, shown).Expiry
	for _, v := range []identity.Verifier{i, set} {
		if _, err := v.Verify(t.Context(), shown); !errors.Is(err, jws.Expired) {
			t.Errorf("at its exp: %v", err)
		}
	}
	clock = now()
	k.Distrust()
	for _, v := range []identity.Verifier{i, set} {
		if _, err := v.Verify(t.Context(), shown); err == nil {
			t.Error("a key that is trusted no more still served")
		}
	}
}

// verify is Verify where it must succeed.
func verify(tb testing.TB, v identity.Verifier, shown string) *identity.Identity {
	tb.Helper()
	id, err := v.Verify(tb.Context(), shown)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

// remembered says whether a third verification gives the very identity of the second.
func remembered(t *testing.T, v identity.Verifier, shown string) bool {
	t.Helper()
	verify(t, v, shown)
	twice := verify(t, v, shown)
	return verify(t, v, shown) == twice
}

func TestCacheOff(t *testing.T) {
	c := common(t)
	c.CacheEntries = -1
	i, err := identity.NewClerk(identity.ClerkConfig{Common: c, Issuer: clerkIssuer, AnyAuthorizedParty: true})
	if err != nil {
		t.Fatal(err)
	}
	set, err := identity.NewIssuers(i, policies(t)["oidc"])
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []identity.Verifier{i, set} {
		if remembered(t, v, token(t, "clerk", "accepted-v2")) {
			t.Error("a token was remembered")
		}
	}
	if !remembered(t, set, token(t, "oidc", "accepted-id")) {
		t.Error("the other issuer's token was not remembered")
	}
}

func TestCachedVerifyDoesNotAllocate(t *testing.T) {
	set, shown := every(t), token(t, "cognito", "accepted-access")
	verify(t, set, shown)
	verify(t, set, shown) // from the second time on it is remembered
	if n := testing.AllocsPerRun(5000, func() { verify(t, set, shown) }); n != 0 {
		t.Errorf("a repeat costs %v allocations", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	set, shown := every(b), token(b, "cognito", "accepted-access")
	alone := policies(b)["cognito-access"]
	c := common(b)
	c.CacheEntries = -1
	uncached, err := identity.NewCognito(identity.CognitoConfig{Common: c, UserPoolID: pool, ClientIDs: []string{client}, Uses: []identity.Use{identity.AccessToken}})
	if err != nil {
		b.Fatal(err)
	}
	for name, v := range map[string]identity.Verifier{"repeat in a set of 13": set, "repeat": alone, "first sight": uncached} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(context.Background(), shown); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
