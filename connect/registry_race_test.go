package connect_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

// race runs the functions at once, many times, each time behind a new door.
func race(t *testing.T, config connect.RegistryConfig, rounds int, round func(*door) (at []func(), after func())) {
	t.Helper()
	for range rounds {
		synctest.Test(t, func(t *testing.T) {
			at, after := round(newDoor(t, config))
			var start, done sync.WaitGroup
			start.Add(1)
			for _, f := range at {
				done.Go(func() {
					start.Wait()
					f()
				})
			}
			start.Done()
			done.Wait()
			synctest.Wait()
			after()
		})
	}
}

func TestNoRevocationFallsBetweenCheckAndAdmission(t *testing.T) {
	ctx := context.Background()
	admitted, refused := 0, 0
	race(t, connect.RegistryConfig{}, 300, func(d *door) ([]func(), func()) {
		peers, errs := make([]peer, 8), make([]error, 8)
		var at []func()
		for i := range peers {
			at = append(at, func() {
				slot := connect.Slot{Route: "arena", Name: fmt.Sprint(i)}
				_, errs[i] = d.registry.Admit(ctx, sessionOf(1), slot, peers[i].hooks())
			})
		}
		revoke := func() {
			if err := d.ledger.RevokeSession(ctx, sessionOf(1), ""); err != nil {
				t.Error(err)
			}
		}
		return slices.Insert(at, 4, revoke), func() {
			for i := range peers {
				if errs[i] != nil {
					refused++
					peers[i].want(t)
					continue
				}
				admitted++
				peers[i].want(t, connect.CloseRevoked)
			}
			if d.live() != 0 {
				t.Errorf("%d sockets of a revoked session are live", d.live())
			}
		}
	})
	t.Logf("%d were admitted and then ended, %d refused", admitted, refused)
}

// TestRevocationAtTheEndOfTheCheck revokes a session in the moment at which the ledger has let it pass and the registry
// has not taken its socket in. The last thing that the ledger asks for is the time, to see whether a cut-off is in force.
func TestRevocationAtTheEndOfTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		var revoke atomic.Pointer[func()]
		ledger := must(session.NewLedger(session.LedgerConfig{
			Store: session.NewMemoryStore(), Policy: session.Available, Now: func() time.Time {
				if f := revoke.Swap(nil); f != nil {
					(*f)()
				}
				return time.Now()
			},
		}))(t)
		if err := errors.Join(ledger.Load(ctx), ledger.CutOff(ctx, player(1), "")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		d := newDoor(t, connect.RegistryConfig{Ledger: ledger})
		passed := false
		inTheMiddle := func() {
			passed = true
			if err := ledger.RevokeSession(ctx, sessionOf(1), ""); err != nil {
				t.Error(err)
			}
			for range 10_000 { // the subscriber's goroutine gets its chance to be too early
				runtime.Gosched()
			}
		}
		revoke.Store(&inTheMiddle)
		_, p := d.admit(sessionOf(1), "arena", "")
		if !passed {
			t.Fatal("the ledger did not ask for the time")
		}
		p.want(t, connect.CloseRevoked)
	})
}

func TestOfManyAdmissionsToASlotTheLastIsLive(t *testing.T) {
	ctx := context.Background()
	race(t, connect.RegistryConfig{}, 200, func(d *door) ([]func(), func()) {
		peers, sockets := make([]peer, 8), make([]*connect.Socket, 8)
		var at []func()
		for i := range peers {
			at = append(at, func() {
				sockets[i], _ = d.registry.Admit(ctx, sessionOf(1), connect.Slot{Route: "arena"}, peers[i].hooks())
			})
		}
		return at, func() {
			for i, socket := range sockets {
				if socket.ID() == uint64(len(sockets)) {
					peers[i].want(t)
					continue
				}
				peers[i].want(t, connect.CloseReplaced)
			}
			if list := d.registry.List(connect.SocketFilter{}); len(list) != 1 || list[0].ID != uint64(len(sockets)) {
				t.Errorf("live are %v, want the last", list)
			}
		}
	})
}

func TestOfManyAdmissionsToASlotThatRefusesOneIsLive(t *testing.T) {
	ctx := context.Background()
	race(t, connect.RegistryConfig{}, 200, func(d *door) ([]func(), func()) {
		peers, errs := make([]peer, 8), make([]error, 8)
		var at []func()
		for i := range peers {
			at = append(at, func() {
				_, errs[i] = d.registry.Admit(ctx, sessionOf(1), connect.Slot{Route: "lobby"}, peers[i].hooks())
			})
		}
		return at, func() {
			taken := 0
			for i := range peers {
				peers[i].want(t)
				if errors.Is(errs[i], connect.ErrSlotTaken) {
					taken++
				}
			}
			if taken != 7 || d.live() != 1 {
				t.Errorf("%d refused, %d live; want 7 and 1", taken, d.live())
			}
		}
	})
}

// TestRenewMeetsExpiry renews at the very instant of the expiry: the socket is either extended or ended, as Renew says.
func TestRenewMeetsExpiry(t *testing.T) {
	outcomes := make(map[int]int)
	race(t, connect.RegistryConfig{}, 300, func(d *door) ([]func(), func()) {
		socket, p := d.admit(sessionOf(1), "arena", "")
		expiry := socket.Expiry()
		renewed := sessionOf(1)
		renewed.Expiry = expiry.Add(time.Hour)
		count := 0
		renew := func() {
			time.Sleep(time.Until(expiry))
			var err error
			if count, err = d.registry.Renew(renewed); err != nil {
				t.Error(err)
			}
		}
		return []func(){renew}, func() {
			outcomes[count]++
			if count == 1 {
				p.want(t)
				time.Sleep(time.Hour)
			}
			p.want(t, connect.CloseExpired)
		}
	})
	t.Logf("sockets renewed: %v", outcomes)
}

// TestEveryEndAtOnceIsOneEnd ends one socket in all ways at the same time.
func TestEveryEndAtOnceIsOneEnd(t *testing.T) {
	ctx := context.Background()
	race(t, connect.RegistryConfig{Notice: time.Minute}, 100, func(d *door) ([]func(), func()) {
		socket, p := d.admit(sessionOf(1), "arena", "")
		expiry := socket.Expiry()
		at := []func(){
			func() { socket.Close(connect.CloseIdle) },
			func() { _, _ = d.registry.Kick(connect.SocketFilter{Player: player(1)}, connect.CloseKicked) },
			func() { _ = d.ledger.Ban(ctx, player(1), "", time.Time{}) },
			func() { _ = d.ledger.RevokeSession(ctx, sessionOf(1), "") },
			func() { _, _ = d.registry.Admit(ctx, sessionOf(1), connect.Slot{Route: "arena"}, (&peer{}).hooks()) },
			func() { _, _ = d.registry.Renew(sessionOf(1)) },
			func() { _ = d.registry.Drain(ctx, 0) },
			func() { _ = d.registry.List(connect.SocketFilter{}) },
			func() { _ = d.registry.SetRoutes(map[string]connect.SocketRoute{}) },
		}
		for i := range at {
			f := at[i]
			at[i] = func() {
				time.Sleep(time.Until(expiry))
				f()
			}
		}
		return at, func() {
			if got := p.reasons(); len(got) != 1 {
				t.Errorf("the peer was told %v, want one reason", got)
			}
			socket.Release()
			if s := d.registry.State(); s.Live != 0 || s.Closing != 0 {
				t.Errorf("state %+v", s)
			}
		}
	})
}

// TestBlockedHooksBlockNobody has one revocation end 1,000 sockets, and every second hook never return.
func TestBlockedHooksBlockNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		d := newDoor(t, connect.RegistryConfig{})
		stuck, peers := make(chan struct{}), make([]peer, 1000)
		for i := range peers {
			s := sessionOf(i)
			s.Upstream = "sid:shared"
			hooks := peers[i].hooks()
			if i%2 == 0 {
				hooks.Close = func(c connect.Closing) {
					peers[i].close(c)
					<-stuck
				}
			}
			if _, err := d.registry.Admit(ctx, s, connect.Slot{Route: "arena"}, hooks); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if err := d.ledger.RevokeUpstream(ctx, "players", "shared", ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i := range peers {
			peers[i].want(t, connect.CloseRevoked)
			if !peers[i].at[0].Equal(began) {
				t.Errorf("socket %d waited %v", i, peers[i].at[0].Sub(began))
			}
		}
		if s := d.registry.State(); s.Live != 0 || s.Closing != 500 || s.Ended[connect.CloseRevoked] != 1000 {
			t.Errorf("state %+v, want 500 closing", s)
		}
		_, p := d.admit(sessionOf(1), "arena", "")
		p.want(t)
		close(stuck)
		synctest.Wait()
		if s := d.registry.State(); s.Closing != 0 {
			t.Errorf("state %+v", s)
		}
	})
}

// TestHooksMayCallTheRegistry would deadlock if a hook ran under the lock.
func TestHooksMayCallTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{Notice: time.Minute})
		told, admitted := make(chan connect.CloseReason, 1), make(chan struct{})
		var socket *connect.Socket
		hooks := connect.Hooks{
			Notice: func(time.Time) {
				<-admitted
				socket.Close(connect.CloseFinished)
			},
			Close: func(c connect.Closing) {
				socket.Release()
				_ = d.registry.List(connect.SocketFilter{})
				told <- c.Reason
			},
		}
		socket = must(d.registry.Admit(context.Background(), sessionOf(1), connect.Slot{Route: "arena"}, hooks))(t)
		close(admitted)
		if got := <-told; got != connect.CloseFinished {
			t.Errorf("told %s", got)
		}
	})
}

func TestDrainIsSpreadEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		d := newDoor(t, connect.RegistryConfig{})
		peers := make([]*peer, 1000)
		for i := range peers {
			_, peers[i] = d.admit(sessionOf(i), "arena", "")
		}
		released, _ := d.admit(sessionOf(5000), "arena", "")
		began := time.Now()
		time.AfterFunc(time.Second, released.Release)
		if err := d.registry.Drain(ctx, 10*time.Second); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 10*time.Second || took < 9*time.Second {
			t.Errorf("drained in %v, want about 10 s", took)
		}
		tenths, onTheGrid := make([]int, 10), 0
		for _, p := range peers {
			p.want(t, connect.CloseDraining)
			after := p.at[0].Sub(began)
			tenths[int(after/time.Second)]++
			if after%time.Millisecond == 0 {
				onTheGrid++
			}
		}
		for _, n := range tenths {
			if n < 98 || n > 102 {
				t.Errorf("ended per second: %v, want 100 each", tenths)
				break
			}
		}
		if onTheGrid > 100 {
			t.Errorf("%d of 1,000 ends have no jitter", onTheGrid)
		}
		d.refuse(sessionOf(1), "arena", "", connect.CloseDraining)
		if !d.registry.State().Draining {
			t.Error("not draining")
		}
	})
}

func TestDrainEndsWithTheLastRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		socket, p := d.admit(sessionOf(1), "arena", "")
		began := time.Now()
		time.AfterFunc(0, socket.Release)
		if err := d.registry.Drain(context.Background(), 5*time.Minute); err != nil || !time.Now().Equal(began) {
			t.Errorf("%v after %v, want at once", err, time.Since(began))
		}
		p.want(t)
	})
}

// TestDrainedRegistryIsForgotten proves that the ledger does not hold it.
func TestDrainedRegistryIsForgotten(t *testing.T) {
	d := newDoor(t, connect.RegistryConfig{})
	if err := d.registry.Drain(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	registry := weak.Make(d.registry)
	d.registry = nil
	runtime.GC()
	if registry.Value() != nil {
		t.Error("the drained registry is still referred to")
	}
	runtime.KeepAlive(d.ledger)
}

func TestDrainEndsWhatExpiresMeanwhileAsExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		s := sessionOf(1)
		s.Expiry = time.Now().Add(time.Nanosecond)
		_, p := d.admit(s, "arena", "")
		if err := d.registry.Drain(context.Background(), time.Hour); err != nil {
			t.Fatal(err)
		}
		p.want(t, connect.CloseExpired)
	})
}

func TestSecondDrainIsImmediate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		d := newDoor(t, connect.RegistryConfig{})
		for i := range 10 {
			d.admit(sessionOf(i), "arena", "")
		}
		first := make(chan error, 1)
		go func() { first <- d.registry.Drain(ctx, 5*time.Minute) }()
		synctest.Wait()
		began := time.Now()
		if err := errors.Join(d.registry.Drain(ctx, 0), <-first); err != nil || !time.Now().Equal(began) {
			t.Errorf("%v after %v, want at once", err, time.Since(began))
		}
		if err := d.registry.Drain(ctx, time.Minute); err != nil {
			t.Errorf("draining what is empty: %v", err)
		}
	})
}

func TestDrainThatIsCutShortEndsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t, connect.RegistryConfig{})
		stuck := make(chan struct{})
		defer close(stuck)
		p := &peer{}
		hooks := connect.Hooks{Close: func(c connect.Closing) {
			p.close(c)
			<-stuck
		}}
		if _, err := d.registry.Admit(context.Background(), sessionOf(1), connect.Slot{Route: "arena"}, hooks); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := d.registry.Drain(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		p.want(t, connect.CloseDraining)
	})
}

func TestSocketsWhenTheLedgerCannotTell(t *testing.T) {
	for _, c := range []struct {
		stale connect.StaleSockets
		want  []connect.CloseReason
	}{{connect.KeepSockets, nil}, {connect.CloseSockets, []connect.CloseReason{connect.CloseUnavailable}}} {
		t.Run(string(c.stale), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				feed := &moody{MemoryStore: session.NewMemoryStore()}
				writer := must(session.NewLedger(session.LedgerConfig{Store: feed.MemoryStore, Policy: session.Available}))(t)
				ledger := must(session.NewLedger(session.LedgerConfig{Feed: feed, Policy: session.Grace}))(t)
				d := newDoor(t, connect.RegistryConfig{Ledger: ledger, Stale: c.stale})
				d.refuse(sessionOf(1), "arena", "", connect.CloseUnavailable) // not loaded yet
				go func() { _ = ledger.Run(ctx) }()
				synctest.Wait()
				_, p := d.admit(sessionOf(1), "arena", "")
				_, lives := d.admit(sessionOf(2), "arena", "")
				time.Sleep(7 * time.Second) // no multiple of anything
				feed.set(true)
				time.Sleep(28 * time.Second) // within the ledger's grace of 30 s
				p.want(t)
				time.Sleep(5 * time.Second)
				d.refuse(sessionOf(3), "arena", "", connect.CloseUnavailable)
				p.want(t, c.want...)
				if _, err := d.registry.Renew(sessionOf(1)); connect.CloseReasonOf(err) != connect.CloseUnavailable {
					t.Errorf("Renew: %v", err)
				}
				// What happened meanwhile is learned when the feed is back, in the same moment as the ledger is fit again.
				if err := writer.CutOff(ctx, player(1), ""); err != nil {
					t.Fatal(err)
				}
				feed.set(false)
				time.Sleep(10 * time.Second)
				lives.want(t, c.want...)
				if c.want == nil {
					p.want(t, connect.CloseRevoked)
				}
			})
		})
	}
}
