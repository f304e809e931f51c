package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

// logoutIssuer is the policy "oidc" on a clock that the test moves.
func logoutIssuer(t *testing.T, clock *atomic.Int64) *identity.Issuer {
	t.Helper()
	c := common(t)
	clock.Store(now().Unix())
	c.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	i, err := identity.NewOIDC(identity.OIDCConfig{
		Common: c, Issuer: oidcIssuer, Audiences: []string{"game"}, Logout: identity.LogoutConfig{ClientIDs: []string{"game"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// logoutToken is a logout token with its own jti, issued at a time and good for 10 minutes.
func logoutToken(t *testing.T, key, jti string, iat int64) string {
	t.Helper()
	return resign(t, "logout", key, "", fmt.Sprintf(`{"jti":"%s","iat":%d,"exp":%d}`, jti, iat, iat+600))
}

func TestLogoutTokenIsTakenOnce(t *testing.T) {
	var clock atomic.Int64
	i := logoutIssuer(t, &clock)
	set, err := identity.NewIssuers(i)
	if err != nil {
		t.Fatal(err)
	}
	shown := logoutToken(t, "", "a", now().Unix())
	out, err := set.VerifyLogout(t.Context(), shown)
	if err != nil || out.Player != (identity.Player{Realm: "players", Subject: "alice"}) || out.Issuer != oidcIssuer {
		t.Fatalf("got %+v, %v", out, err)
	}
	set.LogoutTaken(out)
	// For as long as it would be fresh, to the issuer as to the set, and in whatever spelling carries the same jti.
	for seconds := range int64(121) {
		clock.Store(now().Unix() + seconds)
		if _, err := i.VerifyLogout(t.Context(), shown); !errors.Is(err, jws.Replayed) {
			t.Fatalf("after %d s: %v", seconds, err)
		}
	}
	clock.Store(now().Unix())
	if _, err := set.VerifyLogout(t.Context(), logoutToken(t, "p256-1", "a", now().Unix())); !errors.Is(err, jws.Replayed) {
		t.Errorf("another token with the same jti: %v", err)
	}
	if _, err := i.VerifyLogout(t.Context(), logoutToken(t, "", "b", now().Unix())); err != nil {
		t.Errorf("another jti: %v", err)
	}
}

// TestLogoutTokenFromTheFuture: the longest life that a token can have here is 125 s, and it is remembered that long.
func TestLogoutTokenFromTheFuture(t *testing.T) {
	var clock atomic.Int64
	i := logoutIssuer(t, &clock)
	shown := logoutToken(t, "", "a", now().Unix()+5)
	out, err := i.VerifyLogout(t.Context(), shown)
	if err != nil {
		t.Fatal(err)
	}
	i.LogoutTaken(out)
	clock.Store(now().Unix() + 125)
	if _, err := i.VerifyLogout(t.Context(), shown); !errors.Is(err, jws.Replayed) {
		t.Errorf("at its last second: %v", err)
	}
	clock.Store(now().Unix() + 126)
	if _, err := i.VerifyLogout(t.Context(), shown); !errors.Is(err, jws.Expired) {
		t.Errorf("a second later: %v", err)
	}
}

// TestRefusedLogoutTokenIsNotRemembered: somebody who cannot sign must not be able to use up a jti.
func TestRefusedLogoutTokenIsNotRemembered(t *testing.T) {
	var clock atomic.Int64
	i := logoutIssuer(t, &clock)
	bad := resign(t, "logout", "rsa-2", `{"kid":"rsa-1"}`, `{"jti":"a"}`)
	if _, err := i.VerifyLogout(t.Context(), bad); !errors.Is(err, jws.BadSignature) {
		t.Fatal(err)
	}
	if _, err := i.VerifyLogout(t.Context(), logoutToken(t, "", "a", now().Unix())); err != nil {
		t.Error(err)
	}
}

// TestFailedLogoutMayComeAgain: until the sign-out is carried out, the issuer's next attempt with the same token counts.
func TestFailedLogoutMayComeAgain(t *testing.T) {
	var clock atomic.Int64
	i := logoutIssuer(t, &clock)
	shown := logoutToken(t, "", "a", now().Unix())
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := i.VerifyLogout(t.Context(), shown); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	out, err := i.VerifyLogout(t.Context(), shown)
	if err != nil {
		t.Fatal(err)
	}
	for range 16 {
		group.Go(func() { i.LogoutTaken(out) })
	}
	group.Wait()
	if _, err := i.VerifyLogout(t.Context(), shown); !errors.Is(err, jws.Replayed) {
		t.Errorf("once it was carried out: %v", err)
	}
}

// TestLogoutOfAnotherIssuerIsNotRemembered: two issuers may use the same jti.
func TestLogoutOfAnotherIssuerIsNotRemembered(t *testing.T) {
	var clock atomic.Int64
	i := logoutIssuer(t, &clock)
	set, err := identity.NewIssuers(i)
	if err != nil {
		t.Fatal(err)
	}
	set.LogoutTaken(&identity.SignOut{Issuer: "https://other.example", TokenID: "a"})
	if _, err := set.VerifyLogout(t.Context(), logoutToken(t, "", "a", now().Unix())); err != nil {
		t.Error(err)
	}
}

// TestLogoutMemoryIsBounded: more sign-outs than the memory holds are all taken, and the latest are still remembered.
func TestLogoutMemoryIsBounded(t *testing.T) {
	m := identity.NewLogoutMemory()
	const many = 3 * identity.LogoutEntries
	for n := range many {
		if m.Has(fmt.Sprint(n)) {
			t.Fatalf("id %d was there before", n)
		}
		m.Remember(fmt.Sprint(n), now())
	}
	if size := m.Size(); size > 2*identity.LogoutEntries {
		t.Errorf("%d ids are remembered", size)
	}
	if !m.Has(fmt.Sprint(many-1)) || !m.Has(fmt.Sprint(many-identity.LogoutEntries)) {
		t.Error("a late id was forgotten")
	}
	if m.Has("0") || m.Has(strings.Repeat("x", 1<<14)) {
		t.Error("an early or a new id is there")
	}
	m.Remember("later", now().Add(time.Hour))
	m.Remember("later", now().Add(2*time.Hour))
	if m.Size() != 2 {
		t.Errorf("%d ids are remembered for hours", m.Size())
	}
}

// TestIdentityTokensAreNoLogoutTokens, and the other way round, for every vector of the family.
func TestIdentityTokensAreNoLogoutTokens(t *testing.T) {
	all := policies(t)
	for _, policy := range []string{"oidc", "oidc-untyped-logout"} {
		for _, v := range testvectors.Load(t, "testdata/vectors/oidc") {
			if out, err := all[policy].VerifyLogout(t.Context(), v.Body); err == nil && !strings.Contains(v.Name, "logout") {
				t.Errorf("%s was taken for a logout: %+v", v.Name, out)
			}
		}
		for _, v := range testvectors.Load(t, "testdata/vectors/logout") {
			if id, err := all[policy].Verify(t.Context(), v.Body); err == nil && v.Name != "refused-id-token" {
				t.Errorf("%s was taken for an identity: %+v", v.Name, id.Player)
			}
		}
	}
}
