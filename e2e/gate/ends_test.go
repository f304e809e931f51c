package gate_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

// many is how many sockets one gate has while each is ended. Each costs this process four descriptors.
const many = 1000

// player is one of many.
type player struct {
	session *session.Session
	token   string
	socket  *raw
	told    chan told
}

// told is what the client was told, and when.
type told struct {
	code int
	err  error
	at   time.Time
}

// crowd opens sockets for players of their own.
func crowd(t *testing.T, o *door, issuer *session.Issuer, n int) []*player {
	t.Helper()
	players := make([]*player, n)
	abreast(n, func(i int) {
		p := &player{told: make(chan told, 1)}
		p.session, p.token = o.buy(t, issuer, fmt.Sprintf("%s %d", t.Name(), i))
		players[i] = p
		p.join(t, o)
	})
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		for _, p := range players {
			p.socket.Close()
		}
	})
	return players
}

// join opens the player's socket, and has somebody read it.
func (p *player) join(t *testing.T, o *door) {
	socket, err := join(o.address, p.token)
	if err == nil {
		_, err = socket.message()
	}
	p.socket = socket
	if err != nil {
		t.Errorf("a player does not come in: %v", err)
		return
	}
	go func() {
		code, err := socket.closed()
		p.told <- told{code, err, time.Now()}
	}()
}

// abreast calls a function for each number, eight at a time.
func abreast(n int, do func(int)) {
	var group sync.WaitGroup
	defer group.Wait()
	for first := range 8 {
		group.Go(func() {
			for i := first; i < n; i += 8 {
				do(i)
			}
		})
	}
}

// TestSocketsEndWithinTheSecond ends each of 1,000 live sockets for each reason, while the others live, and prints how
// long it took until the client had read the close frame. The promise is p99 within 1 s.
func TestSocketsEndWithinTheSecond(t *testing.T) {
	t.Parallel()
	backend := rawServer(t, nil, echo)
	for _, c := range []struct {
		reason connect.CloseReason
		end    func(context.Context, *door, *player) error
	}{
		{connect.CloseRevoked, func(ctx context.Context, o *door, p *player) error {
			return o.ledger.RevokeSession(ctx, p.session, "signed out")
		}},
		{connect.CloseBanned, func(ctx context.Context, o *door, p *player) error {
			return o.ledger.Ban(ctx, p.session.Player, "cheating", time.Time{})
		}},
		{connect.CloseReplaced, func(_ context.Context, o *door, p *player) error {
			newer, err := join(o.address, p.token)
			if newer != nil {
				o.t.Cleanup(func() { newer.Close() })
			}
			return err
		}},
		{connect.CloseExpired, nil},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			o := newDoor(t, plainKind, backend, nil, nil)
			issuer := o.sessions
			if c.end == nil {
				issuer = o.lasting(t, 20*time.Second)
			}
			players := crowd(t, o, issuer, many)
			began := make([]time.Time, many)
			every := time.NewTicker(2 * time.Millisecond)
			defer every.Stop()
			for i, p := range players {
				began[i] = p.session.Expiry
				if c.end == nil {
					continue
				}
				<-every.C
				began[i] = time.Now()
				if err := c.end(t.Context(), o, p); err != nil {
					t.Fatal(err)
				}
			}
			took := make([]time.Duration, many)
			for i, p := range players {
				took[i] = p.heard(t, connect.ProfilePlain.Closing(c.reason).Code).Sub(began[i])
			}
			slices.Sort(took)
			t.Logf("FIGURE %d sockets %s: close frame read after median %s, p99 %s, most %s", many, c.reason,
				took[many/2].Round(10*time.Microsecond), took[many*99/100].Round(10*time.Microsecond), took[many-1].Round(10*time.Microsecond))
			if p99 := took[many*99/100]; p99 > 10*time.Second {
				t.Errorf("p99 is %s; the promise is 1 s on a machine with nothing else to do", p99)
			}
			if took[0] < -100*time.Millisecond {
				t.Errorf("a socket ended %s before its time", -took[0])
			}
		})
	}
}

// heard returns when the player was told a code.
func (p *player) heard(t *testing.T, code int) time.Time {
	t.Helper()
	select {
	case got := <-p.told:
		if got.err != nil || got.code != code {
			t.Fatalf("a player was told %d, %v, want %d", got.code, got.err, code)
		}
		return got.at
	case <-time.After(patience):
		t.Fatalf("a socket lives on after %s", patience)
	}
	return time.Time{}
}
