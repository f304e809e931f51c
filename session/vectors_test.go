package session_test

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func loadVectors(t *testing.T, folder string, judge func(*testing.T, testvectors.Vector)) {
	for _, v := range testvectors.Load(t, "testdata/vectors/"+folder) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			judge(t, v)
		})
	}
}

// judgeRefusal compares an error with the vector's expect, check, reason and claim, and wants no text of the token in it.
func judgeRefusal(t *testing.T, v testvectors.Vector, err error) {
	t.Helper()
	if v.Get("expect") == "accept" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var r *jws.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	got := strings.Join([]string{string(r.Check), string(r.Reason), r.Claim}, " ")
	if want := strings.Join([]string{v.Get("check"), v.Get("reason"), v.Get("claim")}, " "); got != want {
		t.Errorf("refused with %q (%v), want %q", got, err, want)
	}
	if strings.Contains(err.Error(), v.Body) || r.Got != "" && !r.Verified {
		t.Errorf("%v shows the token, or what it says before it was verified", err)
	}
}

func TestAccessVectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.verifierConfig()
	config.Keys = newRing(t, w.clock,
		worldEntry(t, "ed25519-1", "key-1", -2*time.Hour), worldEntry(t, "p256-1", "key-2", -time.Hour), worldEntry(t, "rsa-1", "key-3", -time.Minute))
	verifier := must(session.NewVerifier(config))
	loadVectors(t, "access", func(t *testing.T, v testvectors.Vector) {
		for range 2 { // first sight and from the cache, which must hold no refused token
			s, err := verifier.Verify(t.Context(), v.Body)
			judgeRefusal(t, v, err)
			if err == nil && (s.ID != vectorSID || s.PlayerID != worldSubject || s.Started.Unix() != testvectors.Now.Unix()-3600) {
				t.Errorf("session %s of player %s, started %s", s.ID, s.PlayerID, s.Started)
			}
		}
	})
}

func TestVectorSID(t *testing.T) {
	t.Parallel()
	if at, ok := uuid.TimeOfV7(vectorSID); !ok || !at.Equal(testvectors.Now.Add(-time.Hour)) {
		t.Errorf("the vectors' sid was made at %s", at)
	}
}

func TestNakamaVectors(t *testing.T) {
	t.Parallel()
	loadVectors(t, "nakama", func(t *testing.T, v testvectors.Vector) {
		w := newWorld(t)
		config := w.nakamaConfig()
		if v.Get("aliases") == "required" {
			config.Aliases = session.AliasRequired
		}
		if alias := v.Get("alias"); alias != "" {
			if err := w.ledger.Learn(t.Context(), alias, alice().Player); err != nil {
				t.Fatal(err)
			}
		}
		verifier := must(session.NewNakamaVerifier(config))
		for range 2 {
			s, err := verifier.Verify(t.Context(), v.Body)
			judgeRefusal(t, v, err)
			if err == nil && (s.ID != nakamaTID || s.UserID != nakamaUser) {
				t.Errorf("session %s of user %s", s.ID, s.UserID)
			}
		}
	})
}

func TestRefreshVectors(t *testing.T) {
	t.Parallel()
	loadVectors(t, "refresh", func(t *testing.T, v testvectors.Vector) {
		w := newWorld(t)
		before := storeVectorFamily(t, w, v)
		client := worldClient
		if v.Get("client") != "" {
			client = v.Get("client")
		}
		revoked := len(w.events(t))
		g, err := w.issuer.Refresh(t.Context(), session.RefreshRequest{RefreshToken: v.Body, ClientID: client})
		judgeRefusal(t, v, err)
		if err == nil {
			number := must(strconv.ParseUint(v.Get("successor"), 10, 64))
			if g.RefreshToken != session.RefreshTokenOf(before, number) {
				t.Errorf("the successor is not number %d", number)
			}
		}
		after := must(w.config.Families.Get(t.Context(), before.ID))
		same, news := reflect.DeepEqual(before, after), len(w.events(t)) > revoked
		switch v.Get("family") {
		case "same":
			if !same || news {
				t.Errorf("the family became %+v, revoked %v", after, news)
			}
		case "rotated":
			if same || news {
				t.Errorf("the family stayed, or was revoked: %v", news)
			}
		default:
			if !same || !news {
				t.Errorf("the family became %+v, revoked %v", after, news)
			}
		}
	})
}

// storeVectorFamily puts the world into the state that a refresh vector begins with.
func storeVectorFamily(t *testing.T, w *world, v testvectors.Vector) session.Family {
	t.Helper()
	f := vectorFamily()
	f.Number = must(strconv.ParseUint(v.Get("number"), 10, 64))
	f.RotatedAt = testvectors.Now.Add(-must(time.ParseDuration(v.Get("rotated"))))
	if v.Get("lifetime") != "" {
		f.Expires = testvectors.Now.Add(must(time.ParseDuration(v.Get("lifetime"))))
		w.config.Families = keepingFamilies{w.store, f}
		w.issuer = must(session.NewIssuer(w.config))
		return f
	}
	if err := w.store.Create(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	var err error
	switch v.Get("ledger") {
	case "ban":
		err = w.ledger.Ban(t.Context(), f.Player, "test", time.Time{})
	case "cut-off":
		err = w.ledger.CutOff(t.Context(), f.Player, "test")
	case "session":
		err = w.ledger.RevokeSession(t.Context(), &session.Session{ID: f.ID, Player: f.Player}, "test")
	case "upstream":
		err = w.ledger.RevokeUpstream(t.Context(), f.Player.Realm, f.Upstream, "test")
	}
	if err != nil {
		t.Fatal(err)
	}
	return must(w.store.Get(t.Context(), f.ID))
}

func TestKeyringVectors(t *testing.T) {
	t.Parallel()
	loadVectors(t, "keyring", func(t *testing.T, v testvectors.Vector) {
		ring, err := readRing(v.Body)
		if v.Get("expect") == "refuse" {
			wantErrorText(t, err, v.Get("error"))
			for _, part := range strings.Split(v.Body, `"`) {
				if len(part) == 43 && strings.Contains(err.Error(), part) {
					t.Errorf("%v shows a member of a key", err)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := stages(ring); got != v.Get("states") {
			t.Errorf("states %q, want %q", got, v.Get("states"))
		}
	})
}

func readRing(file string) (*session.Keyring, error) {
	entries, err := session.ParseKeyFile([]byte(file))
	if err != nil {
		return nil, err
	}
	return session.NewKeyring(session.KeyringConfig{Keys: entries, Now: func() time.Time { return testvectors.Now }})
}

func FuzzKeyFile(f *testing.F) {
	for _, v := range []string{
		"", "{}", `{"keys":[]}`, `{"keys":[{}]}`, `{"keys":[{"jwk":{},"published":"","signs":""}]}`, "{\"keys\":[]}\x00", `{"keys":[],"Keys":[]}`,
	} {
		f.Add(v)
	}
	for _, v := range testvectors.Load(f, "testdata/vectors/keyring") {
		f.Add(v.Body)
	}
	f.Fuzz(func(t *testing.T, file string) {
		ring, err := readRing(file)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "session: key") {
				t.Errorf("error %q does not say where it is from", err)
			}
			return
		}
		written, err := ring.KeyFile()
		if err != nil {
			t.Fatalf("a ring that was read cannot be written: %v", err)
		}
		again, err := readRing(string(written))
		if err != nil || stages(again) != stages(ring) {
			t.Errorf("written and read again: %v, %q became %q", err, stages(ring), stages(again))
		}
	})
}
