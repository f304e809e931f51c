package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// follow listens to what a store pushes until the test ends.
func follow(t *testing.T, s *redis.Store) <-chan session.Event {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	told, ended := make(chan session.Event, 100), make(chan error, 1)
	go func() { ended <- s.Follow(ctx, func(e session.Event) { told <- e }) }()
	t.Cleanup(func() {
		end()
		wantErr(t, "Follow whose context ends", <-ended, session.ErrStoreUnavailable)
	})
	return told
}

// TestFollow pushes each new revocation as it is stored, and nothing else.
func TestFollow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := startServer(t)
	a := open(t, redis.Config{Addresses: []string{server.address()}})
	b := open(t, redis.Config{Addresses: []string{server.address()}})
	told := follow(t, b)
	eventually(t, "the follower listens", func() bool { return server.says(" sub=1 ", "CLIENT", "LIST") })

	alias := event(1)
	alias.Kind, alias.Session, alias.Alias = session.PlayerAlias, "", "known as"
	alias.Player = identity.Player{Realm: "main", Subject: "ann"}
	_, err := a.Append(ctx, alias)
	must(t, err)
	again := event(2)
	again.At = time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	_, err = a.Append(ctx, again)
	must(t, err)
	stored := appendEvent(t, a, 3)
	appendEvent(t, a, 3) // is stored already
	last := appendEvent(t, a, 4)
	for _, want := range []session.Event{stored, last} {
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %+v, want %+v", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("event %s was not pushed", want.ID)
		}
	}
}

// TestOpenLoadsScripts has the first call go to the server once.
func TestOpenLoadsScripts(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	store := open(t, redis.Config{Addresses: []string{server.address()}})
	appendEvent(t, store, 1)
	must(t, store.Create(context.Background(), family(1)))
	if stats := server.do("INFO", "commandstats"); strings.Contains(stats, "cmdstat_eval:") {
		t.Error("the server was sent the text of a script that it did not have")
	}
}
