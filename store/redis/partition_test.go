package redis_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

func TestPartitionOfOneNode(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	link := startProxy(t, server.address())
	const timeout = 500 * time.Millisecond
	a := startNode(t, redis.Config{Addresses: []string{server.address()}})
	b := startNode(t, redis.Config{Addresses: []string{link.address()}, Timeout: timeout})
	a.revoke(t, 1)
	eventually(t, "the first revocation is everywhere", func() bool { return b.refuses(1) })

	link.silence()
	a.revoke(t, 2)
	refusedWithin(t, b.store, timeout+time.Second)
	eventually(t, "the ledger notices", func() bool { return b.ledger.State().Failing })
	if b.refuses(2) {
		t.Error("a node behind a partition knows what happened beyond it")
	}
	link.restore()
	eventually(t, "the node has caught up", func() bool { return b.refuses(2) && !b.ledger.State().Failing })
	if resets := b.ledger.State().Resets; resets != 1 {
		t.Errorf("%d resets, want the first alone: the cursor still holds", resets)
	}

	link.cut()
	b.revoke(t, 3)
	eventually(t, "the node's own revocation is everywhere", func() bool { return a.refuses(3) })
}

// refusedWithin wants every call refused, none of them later than that.
func refusedWithin(t *testing.T, s *redis.Store, limit time.Duration) {
	t.Helper()
	ctx := context.Background()
	calls := map[string]func() error{
		"Append": func() error { _, err := s.Append(ctx, event(100)); return err },
		"Create": func() error { return s.Create(ctx, family(100)) },
		"Get":    func() error { _, err := s.Get(ctx, id(100)); return err },
		"Rotate": func() error { _, err := s.Rotate(ctx, id(100), 0); return err },
		"Put":    func() error { return s.Put(ctx, digest(100), []byte("sealed"), time.Now().Add(time.Minute)) },
		"Take":   func() error { _, err := s.Take(ctx, digest(100)); return err },
	}
	var group sync.WaitGroup
	for name, call := range calls {
		group.Go(func() {
			began := time.Now()
			wantErr(t, name+" behind a partition", call(), session.ErrStoreUnavailable)
			if took := time.Since(began); took > limit {
				t.Errorf("%s took %v, want at most %v", name, took, limit)
			}
		})
	}
	group.Wait()
}

func TestSlowServer(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	link := startProxy(t, server.address())
	a := startNode(t, redis.Config{Addresses: []string{server.address()}})
	b := startNode(t, redis.Config{Addresses: []string{link.address()}, Timeout: time.Second})
	link.setDelay(50 * time.Millisecond)
	b.revoke(t, 1)
	eventually(t, "what a slow node revoked is everywhere", func() bool { return a.refuses(1) })
	link.setDelay(2 * time.Second)
	refusedWithin(t, b.store, 2*time.Second)
	link.setDelay(0)
	a.revoke(t, 2)
	eventually(t, "the node has recovered", func() bool { return b.refuses(2) && !b.ledger.State().Failing })
	eventually(t, "the node writes again", func() bool {
		_, err := b.store.Append(context.Background(), event(3))
		return err == nil
	})
}

// TestRaces lets 50 callers on three nodes compete for each ticket and each rotation.
func TestRaces(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	var nodes []*redis.Store
	for range 3 {
		nodes = append(nodes, open(t, redis.Config{Addresses: []string{server.address()}}))
	}
	ctx := context.Background()
	for round := range 100 {
		must(t, nodes[0].Put(ctx, digest(round), []byte("sealed"), time.Now().Add(time.Minute)))
		must(t, nodes[0].Create(ctx, family(round)))
		taken := winners(t, session.ErrNotFound, func(i int) error {
			_, err := nodes[i%3].Take(ctx, digest(round))
			return err
		})
		rotated := winners(t, session.ErrConflict, func(i int) error {
			_, err := nodes[i%3].Rotate(ctx, id(round), 0)
			return err
		})
		if taken != 1 || rotated != 1 {
			t.Fatalf("round %d: %d of 50 took the ticket and %d rotated the family, want 1 and 1", round, taken, rotated)
		}
	}
}

// winners counts the calls without error; the others must fail with lost.
func winners(t *testing.T, lost error, call func(i int) error) int32 {
	t.Helper()
	var group sync.WaitGroup
	var won atomic.Int32
	start := make(chan struct{})
	for i := range 50 {
		group.Go(func() {
			<-start
			if err := call(i); err == nil {
				won.Add(1)
			} else {
				wantErr(t, "a loser", err, lost)
			}
		})
	}
	close(start)
	group.Wait()
	return won.Load()
}

// feedPatience is less than the 5 s after which a node asks although it heard of nothing.
const feedPatience = 4 * time.Second

// TestPush measures from before a revocation on one node until the subscriber on another node hears of it, which is when
// sockets are closed.
func TestPush(t *testing.T) {
	t.Parallel()
	server := startServer(t, "appendonly yes", "appendfsync always")
	link := startProxy(t, server.address())
	direct := redis.Config{Addresses: []string{server.address()}}
	a, b, far := startNode(t, direct), startNode(t, direct), startNode(t, redis.Config{Addresses: []string{link.address()}})
	const count = 200
	near := pushes(t, a, b, 0, count, 5*time.Millisecond)
	link.setDelay(100 * time.Millisecond)
	slow := pushes(t, a, far, count, 20, 250*time.Millisecond)
	t.Logf("%s on loopback, fsync before each answer", figures(near))
	t.Logf("%s with 100 ms more each way", figures(slow))
	for _, p99 := range []time.Duration{near[len(near)*99/100], slow[len(slow)*99/100]} {
		if p99 > feedPatience {
			t.Errorf("p99 is %v, want at most %v on any machine: nothing is pushed", p99, feedPatience)
		}
	}
}

func figures(sorted []time.Duration) string {
	n := len(sorted)
	return fmt.Sprintf("push to another node, %d revocations: p50 %v, p99 %v, max %v", n, sorted[n/2], sorted[n*99/100], sorted[n-1])
}

// pushes revokes one session after the other on one node, with a gap between, and returns, sorted, how long the other
// took to hear of each.
func pushes(t *testing.T, from, to node, first, count int, gap time.Duration) []time.Duration {
	t.Helper()
	heard := make(chan string, count)
	defer to.ledger.Subscribe(func(e session.Event) { heard <- e.Session })()
	var took []time.Duration
	for n := first; n < first+count; n++ {
		began := time.Now()
		from.revoke(t, n)
		for waiting := true; waiting; {
			select {
			case id := <-heard:
				waiting = id != sessionOf(n).ID
			case <-time.After(patience):
				t.Fatalf("revocation %d was not heard of", n)
			}
		}
		took = append(took, time.Since(began))
		<-time.After(gap)
	}
	slices.Sort(took)
	return took
}

// counting counts the calls that reach the store.
type counting struct {
	session.Revocations
	calls atomic.Int64
}

func (c *counting) Append(ctx context.Context, e session.Event) (session.Event, error) {
	c.calls.Add(1)
	return c.Revocations.Append(ctx, e)
}

func (c *counting) Since(ctx context.Context, cursor string) (session.Batch, error) {
	c.calls.Add(1)
	return c.Revocations.Since(ctx, cursor)
}

func TestVerifyCallsNoStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	counted := &counting{Revocations: store}
	ledger, err := session.NewLedger(session.LedgerConfig{Store: counted, Policy: session.Available})
	must(t, err)
	must(t, ledger.Load(ctx))
	must(t, ledger.RevokeSession(ctx, sessionOf(0), "test"))
	before, scripts := counted.calls.Load(), scriptCalls(server)
	for n := range 20_000 {
		if refused := ledger.CheckSession(sessionOf(n%100)) != nil; refused != (n%100 == 0) {
			t.Fatalf("session %d: refused is %v", n%100, refused)
		}
	}
	if calls := counted.calls.Load() - before; before != 2 || calls != 0 {
		t.Errorf("%d store calls before and %d in 20,000 checks, want 2 and 0", before, calls)
	}
	if after := scriptCalls(server); scripts == "" || after != scripts {
		t.Errorf("the server ran scripts meanwhile: %q, then %q", scripts, after)
	}
}

// scriptCalls is what the server says of its calls by EVALSHA.
func scriptCalls(s *server) string {
	_, rest, _ := strings.Cut(s.do("INFO", "commandstats"), "cmdstat_evalsha:")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

// TestSinceEndsWithItsContext cancels a call that waits on a server that does not answer.
func TestSinceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	_, cursor := all(t, store)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := store.Since(ctx, cursor)
	wantErr(t, "Since whose context ends", err, session.ErrStoreUnavailable)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to end", took)
	}
}

// TestCloseEndsWaiting closes a store under a call that waits for news.
func TestCloseEndsWaiting(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	_, cursor := all(t, store)
	ended := make(chan error)
	go func() {
		_, err := store.Since(context.Background(), cursor)
		ended <- err
	}()
	eventually(t, "the call waits", func() bool { return server.says("cmd=xread", "CLIENT", "LIST") })
	began := time.Now()
	store.Close()
	wantErr(t, "Since of a store that closes", <-ended, session.ErrStoreUnavailable)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to end", took)
	}
	_, err := store.Append(context.Background(), event(1))
	wantErr(t, "Append to a closed store", err, session.ErrStoreUnavailable)
}

// TestLostConnection loses the connection with the command on it. Only what may be repeated is.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := startServer(t)
	link := startProxy(t, server.address())
	store := open(t, redis.Config{Addresses: []string{link.address()}})
	must(t, store.Create(ctx, family(1)))
	for n := range 5 {
		link.cutNext()
		appendEvent(t, store, n)
		link.cutNext()
		_, err := store.Get(ctx, id(1))
		must(t, err)
	}
	if got := server.do("XLEN", "sallyport:1:{sallyport}:events"); got != "5" {
		t.Errorf("the server has %s events, want 5", got)
	}
}

func TestCursorOfTheFuture(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	stored := appendEvent(t, store, 1)
	_, cursor := all(t, store)
	epoch, _, _ := strings.Cut(cursor, ":")
	b, err := store.Since(context.Background(), epoch+":9000000000000-7")
	if err != nil || !b.Reset || !slices.Equal(b.Events, []session.Event{stored}) {
		t.Errorf("got %+v, error %v, want the whole set", b, err)
	}
}
