package devidp

import "time"

const (
	// freeAttempts is how many attempts fail before the first lock-out.
	freeAttempts = 5
	// longestLockout is where the doubling ends, and how long without an attempt makes the count forgotten.
	longestLockout = 15 * time.Minute
	// maxAttemptKeys bounds the names whose failures are counted, known and unknown.
	maxAttemptKeys = 10_000
)

// attempts counts failed attempts by account, as Cognito does: after the nth failure, from the fifth on, the account is
// locked for 2^(n-5) seconds, at most 15 minutes. Attempts while it is locked do not count. A success, or 15 minutes
// after the lock without an attempt, starts afresh. See "Lockout behavior for failed sign-in attempts" at
// docs.aws.amazon.com/cognito/latest/developerguide/authentication.html.
type attempts map[string]failures

type failures struct {
	count  int
	locked time.Time // until then
	last   time.Time
}

// locked reports whether an account is locked now.
func (a attempts) locked(key string, now time.Time) bool { return now.Before(a[key].locked) }

// fail counts a failed attempt.
func (a attempts) fail(key string, now time.Time) {
	f := a[key]
	if f.forgotten(now) {
		f = failures{}
	}
	f.count++
	f.last = now
	if f.count >= freeAttempts {
		f.locked = now.Add(lockout(f.count))
	}
	if _, known := a[key]; !known && len(a) >= maxAttemptKeys {
		a.makeRoom(now)
	}
	a[key] = f
}

// succeed forgets the failures of an account.
func (a attempts) succeed(key string) { delete(a, key) }

func (f failures) forgotten(now time.Time) bool {
	since := f.last
	if f.locked.After(since) {
		since = f.locked
	}
	return now.Sub(since) >= longestLockout
}

func lockout(count int) time.Duration {
	if count-freeAttempts >= 10 {
		return longestLockout
	}
	return time.Second << (count - freeAttempts)
}

// makeRoom drops what is forgotten anyway, else the account with the fewest failures.
func (a attempts) makeRoom(now time.Time) {
	least, found := "", failures{}
	for key, f := range a {
		if f.forgotten(now) {
			delete(a, key)
			continue
		}
		if least == "" || f.count < found.count || f.count == found.count && f.last.Before(found.last) {
			least, found = key, f
		}
	}
	if len(a) >= maxAttemptKeys {
		delete(a, least)
	}
}
