package devidp

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
)

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	a := make(attempts)
	now := testvectors.Now
	for range freeAttempts {
		a.fail("victim", now)
	}
	for i := range maxAttemptKeys + 50 {
		a.fail(strconv.Itoa(i), now)
	}
	if len(a) > maxAttemptKeys {
		t.Errorf("%d accounts are remembered, want at most %d", len(a), maxAttemptKeys)
	}
	if !a.locked("victim", now) {
		t.Error("a flood of other names ends a lock-out")
	}
	now = now.Add(time.Hour)
	a.fail("new", now)
	if len(a) != 1 {
		t.Errorf("%d accounts are remembered after an hour, want 1", len(a))
	}
}

func TestUsedChallengesAreBounded(t *testing.T) {
	t.Parallel()
	s, err := newSealer(testvectors.Secret("seal"))
	if err != nil {
		t.Fatal(err)
	}
	now := testvectors.Now
	for i := range maxUsedChallenges {
		if err := s.use(strconv.Itoa(i), now.Add(challengeLifetime), now); err != nil {
			t.Fatal(err)
		}
	}
	block, err := s.seal(challenge{UserID: "alice", Expires: now.Add(2 * challengeLifetime)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.open(block, now); !errors.Is(err, errTooManyUsed) {
		t.Errorf("with a full memory the error is %v", err)
	}
	if _, err := s.open(block, now.Add(challengeLifetime)); err != nil {
		t.Errorf("what has expired is not forgotten: %v", err)
	}
}

func TestSealedChallengeKeepsTheKey(t *testing.T) {
	t.Parallel()
	s, err := newSealer(testvectors.Secret("seal"))
	if err != nil {
		t.Fatal(err)
	}
	want := challenge{
		Key: [16]byte{1, 2, 3}, UserID: "Zoë", Alias: true, ClientID: "game", Salt: "1f", Expires: testvectors.Now.Add(time.Minute),
	}
	block, err := s.seal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.open(block, testvectors.Now); err != nil || got != want {
		t.Errorf("opened %+v (%v), want %+v", got, err, want)
	}
}

func TestRefreshTokensOfASessionAreBounded(t *testing.T) {
	t.Parallel()
	var s session
	for i := range 3 * maxTokensPerSession {
		s.addRefresh(strconv.Itoa(i))
	}
	if len(s.Refresh) != maxTokensPerSession || s.Refresh[maxTokensPerSession-1].Digest != strconv.Itoa(3*maxTokensPerSession-1) {
		t.Errorf("a session remembers %d tokens", len(s.Refresh))
	}
}
