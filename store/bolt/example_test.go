package bolt_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

// A ban outlives the process.
func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ctx := context.Background()
	cheater := identity.Player{Realm: "main", Subject: "cheater"}

	for _, run := range []string{"first", "second"} {
		store, err := bolt.Open(bolt.Config{Path: filepath.Join(folder, "store.db")})
		if err != nil {
			log.Fatal(err)
		}
		ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
		if err != nil {
			log.Fatal(err)
		}
		if err := ledger.Load(ctx); err != nil {
			log.Fatal(err)
		}
		fmt.Println(run, "run:", ledger.State().Bans, "bans")
		if run == "first" {
			err = ledger.Ban(ctx, cheater, "aimbot", time.Time{})
		}
		if err := errors.Join(err, store.Close()); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// first run: 0 bans
	// second run: 1 bans
}

// The store of a player's sessions and tickets is the same one.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	store, err := bolt.Open(bolt.Config{Path: filepath.Join(folder, "store.db")})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	ctx := context.Background()
	digest := sha256.Sum256([]byte("spt_the-ticket"))
	if err := store.Put(ctx, digest, []byte("sealed"), time.Now().Add(30*time.Second)); err != nil {
		log.Fatal(err)
	}
	sealed, err := store.Take(ctx, digest)
	fmt.Printf("%s %v\n", sealed, err)
	_, err = store.Take(ctx, digest)
	fmt.Println(errors.Is(err, session.ErrNotFound))
	// Output:
	// sealed <nil>
	// true
}

// What a command "store check" and a command "store compact" do.
func ExampleCompact() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	c := bolt.Config{Path: filepath.Join(folder, "store.db")}
	store, err := bolt.Open(c)
	if err != nil {
		log.Fatal(err)
	}
	_, err = bolt.Check(context.Background(), c)
	fmt.Println("while it is open:", errors.Is(err, bolt.ErrInUse))
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}
	report, err := bolt.Check(context.Background(), c)
	fmt.Println("format", report.Format, "with", report.Events, "events,", err)
	done, err := bolt.Compact(context.Background(), bolt.CompactConfig{Config: c})
	fmt.Println("not larger than before:", done.After <= done.Before, err)
	// Output:
	// while it is open: true
	// format 1 with 0 events, <nil>
	// not larger than before: true <nil>
}

// Check tells what a store holds.
func ExampleCheck() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "store.db")
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		log.Fatal(err)
	}
	_, err = bolt.Check(context.Background(), bolt.Config{Path: path})
	fmt.Println(errors.Is(err, bolt.ErrCorrupt))
	// Output:
	// true
}
