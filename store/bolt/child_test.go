package bolt_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/store/bolt"
)

// The test binary is its own child: what these variables say, it does instead of the tests.
const (
	childPath    = "SALLYPORT_TEST_BOLT_PATH"
	childWriters = "SALLYPORT_TEST_BOLT_WRITERS"
	childFrom    = "SALLYPORT_TEST_BOLT_FROM"
	childCount   = "SALLYPORT_TEST_BOLT_COUNT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := child(path); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}

// child opens the store, writes, and says on its standard output what was acknowledged, each in one write.
func child(path string) error {
	s, err := bolt.Open(bolt.Config{Path: path, LockTimeout: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range number(childWriters) {
		all.Go(func() {
			for n := next.Add(1) - 1; int(n) < number(childCount) && failed.Load() == nil; n = next.Add(1) - 1 {
				if err := write(s, number(childFrom)+int(n)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return s.Close()
}

// write stores a revocation, and with every tenth a family that it rotates, with every tenth other a ticket that it takes.
func write(s *bolt.Store, n int) error {
	ctx := context.Background()
	e := event(n)
	e.Expires = start.AddDate(50, 0, 0)
	stored, err := s.Append(ctx, e)
	if err != nil {
		return err
	}
	fmt.Printf("event %d %d\n", n, stored.At.UnixNano())
	switch n % 10 {
	case 0:
		f := family(n)
		f.Expires = e.Expires
		if err := s.Create(ctx, f); err != nil {
			return err
		}
		fmt.Printf("family %d 0\n", n)
		if _, err := s.Rotate(ctx, f.ID, 0); err != nil {
			return err
		}
		fmt.Printf("family %d 1\n", n)
	case 5:
		digest := sha256.Sum256([]byte(id(n)))
		if err := s.Put(ctx, digest, []byte("sealed"), e.Expires); err != nil {
			return err
		}
		fmt.Printf("ticket %d 0\n", n)
		if _, err := s.Take(ctx, digest); err != nil {
			return err
		}
		fmt.Printf("ticket %d 1\n", n)
	}
	return nil
}

// process is a child.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// begin starts a child, with the words before its own command line, if any.
func begin(t *testing.T, path string, writers, from, count int, wrap ...string) *process {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	line := append(wrap, self)
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...) //nolint:gosec // this test
	cmd.Env = append(os.Environ(), childPath+"="+path, childWriters+"="+strconv.Itoa(writers),
		childFrom+"="+strconv.Itoa(from), childCount+"="+strconv.Itoa(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return &process{cmd, bufio.NewScanner(out)}
}

// acknowledged is what children said: the time of each event, the number of each family, whether a ticket was used.
type acknowledged map[string]map[int]int64

func (a acknowledged) read(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if len(words) != 3 || a[words[0]] == nil {
		t.Fatalf("a child said %q", line)
	}
	n, err := strconv.Atoi(words[1])
	must(t, err)
	v, err := strconv.ParseInt(words[2], 10, 64)
	must(t, err)
	a[words[0]][n] = v
}

// hold checks a store against all that was acknowledged.
func (a acknowledged) hold(t *testing.T, s *bolt.Store) {
	t.Helper()
	at := map[string]int64{}
	for _, e := range everything(t, s) {
		at[e.ID] = e.At.UnixNano()
	}
	for n, want := range a["event"] {
		if got, ok := at[id(n)]; got != want {
			t.Errorf("event %d: acknowledged for %d, the store has %d (%v)", n, want, got, ok)
		}
	}
	for n, want := range a["family"] {
		if f, err := s.Get(t.Context(), id(n)); err != nil || int64(f.Number) < want {
			t.Errorf("family %d: acknowledged with number %d, the store has %d, %v", n, want, f.Number, err)
		}
	}
	for n, used := range a["ticket"] {
		// A ticket that was acknowledged as stored may have been taken without an acknowledgement.
		_, err := s.Take(t.Context(), sha256.Sum256([]byte(id(n))))
		if used == 1 && err == nil {
			t.Errorf("ticket %d was used before and can be used again", n)
		}
		a["ticket"][n] = 1
	}
	if len(at) < len(a["event"]) {
		t.Errorf("the store has %d events, %d were acknowledged", len(at), len(a["event"]))
	}
}
