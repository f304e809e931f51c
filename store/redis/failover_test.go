package redis_test

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// pair is a master, its replica, and a sentinel that watches both.
type pair struct{ master, replica, sentinel *server }

func startPair(t *testing.T) pair {
	t.Helper()
	master := startServer(t, "appendonly yes")
	replica := startReplica(t, master)
	sentinel := startServer(t, "sentinel monitor game 127.0.0.1 "+strconv.Itoa(master.port)+" 1",
		"sentinel down-after-milliseconds game 500", "sentinel failover-timeout game 3000")
	sentinel.do("ACL", "SETUSER", "node", "on", ">sentinel-password", "+@all", "&*")
	eventually(t, "the sentinel knows both", func() bool {
		return sentinel.says("status=ok,address=127.0.0.1:"+strconv.Itoa(master.port)+",slaves=1", "INFO", "sentinel")
	})
	return pair{master, replica, sentinel}
}

func startReplica(t testing.TB, master *server) *server {
	t.Helper()
	replica := startServer(t, "replicaof 127.0.0.1 "+strconv.Itoa(master.port), "repl-diskless-sync-delay 0")
	eventually(t, "the replica is in step", func() bool {
		return replica.says("master_link_status:up", "INFO", "replication") &&
			master.says("state=online", "INFO", "replication")
	})
	return replica
}

// separate ends the replication for good: what the master acknowledges from now on it alone has.
func (p pair) separate(t testing.TB) {
	p.master.do("ACL", "SETUSER", "default", "-psync", "-sync")
	p.master.do("CLIENT", "KILL", "TYPE", "replica")
	eventually(t, "the replica is cut off", func() bool {
		return p.replica.says("master_link_status:down", "INFO", "replication")
	})
}

func TestSentinelFailOver(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	servers := startPair(t)
	config := redis.Config{Addresses: []string{servers.sentinel.address()}, Sentinel: &redis.Sentinel{Master: "game", Username: "node", Password: "sentinel-password"}}
	a, b := startNode(t, config), startNode(t, config)
	kept := appendEvent(t, a.store, 1)
	must(t, a.store.Create(ctx, family(1)))
	must(t, a.store.Create(ctx, family(2)))
	must(t, a.store.Put(ctx, digest(1), []byte("sealed"), family(1).Expires))
	_, cursor := all(t, b.store)
	if got := servers.master.do("WAIT", "1", "5000"); got != "1" {
		t.Fatalf("%s replicas are in step, want 1", got)
	}

	servers.separate(t)
	lost := appendEvent(t, a.store, 2)
	if _, err := a.store.Rotate(ctx, id(1), 0); err != nil {
		t.Fatal(err)
	}
	servers.master.kill()
	eventually(t, "the replica is promoted and has the lost revocation again", func() bool {
		return servers.replica.says("role:master", "INFO", "replication") && a.store.State().Reasserted == 2
	})
	eventually(t, "the other node reaches the new master", func() bool { return b.store.State().Epochs == 2 })

	fresh := startNode(t, config)
	if !has(t, fresh.store, []session.Event{kept, lost}) {
		t.Error("after the fail-over the store has other revocations than were acknowledged")
	}
	if !fresh.refuses(1) || !fresh.refuses(2) {
		t.Error("a new node accepts a session whose revocation was acknowledged")
	}
	batch, err := b.store.Since(ctx, cursor)
	if err != nil || !batch.Reset {
		t.Errorf("a cursor from before the fail-over: reset %v, error %v, want a reset", batch.Reset, err)
	}
	refusedAfterFailOver(t, b.store)
	keepsFamilies(t, config)
}

// refusedAfterFailOver wants what was promised before to be refused, and what is promised now to hold.
func refusedAfterFailOver(t *testing.T, s *redis.Store) {
	t.Helper()
	ctx := context.Background()
	_, err := s.Rotate(ctx, id(1), 0)
	wantErr(t, "Rotate of a family whose rotation was lost", err, session.ErrNotFound)
	_, err = s.Get(ctx, id(2))
	wantErr(t, "Get of a family from before", err, session.ErrNotFound)
	_, err = s.Take(ctx, digest(1))
	wantErr(t, "Take of a ticket from before", err, session.ErrNotFound)
	must(t, s.Create(ctx, family(3)))
	_, err = s.Rotate(ctx, id(3), 0)
	must(t, err)
	must(t, s.Put(ctx, digest(2), []byte("sealed"), family(3).Expires))
	_, err = s.Take(ctx, digest(2))
	must(t, err)
}

// keepsFamilies shows what InsecureKeepFamilies costs: the lost rotation can be had again.
func keepsFamilies(t *testing.T, config redis.Config) {
	t.Helper()
	config.InsecureKeepFamilies = true
	f, err := open(t, config).Rotate(context.Background(), id(1), 0)
	if err != nil || f.Number != 1 {
		t.Errorf("with InsecureKeepFamilies: number %d, error %v, want 1", f.Number, err)
	}
	_, err = open(t, redis.Config{Addresses: config.Addresses, Sentinel: config.Sentinel}).Get(context.Background(), id(1))
	must(t, err) // the rotation is of the present epoch
}

func TestRestartThatLosesEverything(t *testing.T) {
	t.Parallel()
	server := startServer(t, `save ""`, "appendonly no")
	config := redis.Config{Addresses: []string{server.address()}}
	a, b := startNode(t, config), startNode(t, config)
	var want []session.Event
	for n := range 300 {
		want = append(want, appendEvent(t, a.store, n), appendEvent(t, b.store, 300+n))
	}
	server.kill()
	_, err := a.store.Append(context.Background(), event(600))
	wantErr(t, "Append without a server", err, session.ErrStoreUnavailable)
	server.start()
	eventually(t, "both nodes have written theirs again", func() bool {
		return a.store.State().Reasserted == 300 && b.store.State().Reasserted == 300
	})
	if got := server.do("XLEN", "sallyport:1:{sallyport}:events"); got != "600" {
		t.Errorf("the server has %s events, want 600", got)
	}
	if !has(t, open(t, config), want) {
		t.Error("the revocations have changed")
	}
	for _, s := range []*redis.Store{a.store, b.store} {
		if state := s.State(); !state.Healed || state.Epochs != 2 || state.Remembered != 300 || state.LastError != "" {
			t.Errorf("state %+v, want it healed in the second epoch", state)
		}
	}
}

func TestRestartThatLosesNothing(t *testing.T) {
	t.Parallel()
	server := startServer(t, "appendonly yes", "appendfsync always")
	config := redis.Config{Addresses: []string{server.address()}}
	a := open(t, config)
	want := []session.Event{appendEvent(t, a, 1), appendEvent(t, a, 2)}
	_, cursor := all(t, a)
	a.Close() // nobody is there to write them again
	server.kill()
	server.start()
	b := open(t, config)
	if !has(t, b, want) {
		t.Error("an acknowledged revocation is lost, with appendfsync always")
	}
	batch, err := b.Since(context.Background(), cursor)
	if err != nil || !batch.Reset || len(batch.Events) != 2 {
		t.Errorf("a cursor from before: %+v, error %v, want the whole set", batch, err)
	}
}

// TestEmptiedServer empties the server under a node that only reads, while another one writes all the time.
func TestEmptiedServer(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	config := redis.Config{Addresses: []string{server.address()}}
	a, b := startNode(t, config), open(t, config)
	want := []session.Event{appendEvent(t, a.store, 1), appendEvent(t, a.store, 2)}
	server.do("FLUSHALL")
	next := 100
	eventually(t, "the revocations are written again", func() bool {
		next++
		want = append(want, appendEvent(t, b, next))
		return a.store.State().Reasserted == 2
	})
	if !has(t, open(t, config), want) {
		t.Error("the revocations have changed")
	}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	master := startServer(t)
	config := redis.Config{Addresses: []string{master.address()}, Replicas: 1}
	alone := open(t, config)
	_, err := alone.Append(ctx, event(1))
	wantErr(t, "Append to a master without replica", err, session.ErrStoreUnavailable)
	wantErr(t, "Create at a master without replica", alone.Create(ctx, family(1)), session.ErrStoreUnavailable)
	_, err = alone.Since(ctx, "")
	wantErr(t, "Since of a master without replica", err, session.ErrStoreUnavailable)
	if n := alone.State().Remembered; n != 0 {
		t.Errorf("%d revocations are remembered that were refused", n)
	}

	replica := startReplica(t, master)
	stored := appendEvent(t, alone, 1) // the same again, which the server has and no replica had acknowledged
	if !has(t, alone, []session.Event{stored}) {
		t.Error("the second attempt was not stored once")
	}
	must(t, alone.Create(ctx, family(2)))
	refusedWhileReplicaStops(t, config, replica)
	refusedByReplica(t, open(t, redis.Config{Addresses: []string{replica.address()}}))
	replica.kill()
	_, err = alone.Append(ctx, event(2))
	wantErr(t, "Append once the replica is gone", err, session.ErrStoreUnavailable)
	_, err = alone.Rotate(ctx, id(2), 0)
	wantErr(t, "Rotate once the replica is gone", err, session.ErrStoreUnavailable)
}

// refusedWhileReplicaStops wants an event refused as often as it comes until the replica has it, on any connection.
func refusedWhileReplicaStops(t *testing.T, config redis.Config, replica *server) {
	t.Helper()
	must(t, replica.command.Process.Signal(syscall.SIGSTOP))
	config.Timeout = 500 * time.Millisecond
	for range 2 {
		_, err := open(t, config).Append(context.Background(), event(5))
		wantErr(t, "Append while the replica stands still", err, session.ErrStoreUnavailable)
	}
	must(t, replica.command.Process.Signal(syscall.SIGCONT))
	appendEvent(t, open(t, config), 5)
}

// refusedByReplica wants everything refused, as a master is that was replaced.
func refusedByReplica(t *testing.T, s *redis.Store) {
	t.Helper()
	ctx := context.Background()
	_, err := s.Append(ctx, event(1))
	wantErr(t, "Append to a replica", err, session.ErrStoreUnavailable)
	_, err = s.Since(ctx, "")
	wantErr(t, "Since of a replica", err, session.ErrStoreUnavailable)
	_, err = s.Get(ctx, id(2))
	wantErr(t, "Get of a replica", err, session.ErrStoreUnavailable)
	_, err = s.Take(ctx, digest(1))
	wantErr(t, "Take of a replica", err, session.ErrStoreUnavailable)
}
