package bolt_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/store/bolt"
)

// long makes the test of kill -9 run 50 rounds of 10,000 revocations instead of 6 of 600.
const long = "SALLYPORT_TEST_LONG"

// A process is killed again and again in the middle of its writes. What it acknowledged is there afterwards.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds, each := 6, 600
	if os.Getenv(long) != "" {
		rounds, each = 50, 10_000
	}
	path := filepath.Join(t.TempDir(), "store.db")
	acks := acknowledged{"event": {}, "family": {}, "ticket": {}}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		p := begin(t, path, 64, round*each, each)
		last := r.IntN(each * 9 / 10)
		for n := 0; n < last && p.lines.Scan(); n++ {
			acks.read(t, p.lines.Text())
		}
		must(t, p.Process.Kill())
		for p.lines.Scan() { // what it said before it died
			acks.read(t, p.lines.Text())
		}
		if err := p.Wait(); err == nil || p.ProcessState.Exited() {
			t.Fatalf("seed %d, round %d: the child ended by itself: %v", seed, round, p.ProcessState)
		}
		s, err := bolt.Open(bolt.Config{Path: path})
		if err != nil {
			if errors.Is(err, os.ErrNotExist) && len(acks["event"]) == 0 {
				continue
			}
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
		acks.hold(t, s)
		must(t, s.Close())
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
	t.Logf("%d rounds: %d events, %d families and %d tickets were acknowledged, all hold", rounds,
		len(acks["event"]), len(acks["family"]), len(acks["ticket"]))
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	want := f.append(event(1))
	p := begin(t, f.path, 1, 100, 1)
	p.lines.Scan()
	if err := p.Wait(); err == nil || !strings.Contains(p.lines.Text(), "in use by another process: "+f.path) {
		t.Errorf("a second process says %q and ends with %v, want that the store is in use", p.lines.Text(), err)
	}
	for what, err := range map[string]error{"Open": second(bolt.Open(f.config())), "Check": second(bolt.Check(f.ctx(), f.config()))} {
		if !errors.Is(err, bolt.ErrInUse) {
			t.Errorf("%s of a store that is open: %v, want ErrInUse", what, err)
		}
	}
	if got := f.all(); len(got) != 1 || got[0] != want {
		t.Errorf("the first process has %+v, want its event", got)
	}
}

func second[T any](_ T, err error) error { return err }

// Whoever waits for the lock while the file is replaced gets the new file: what it wrote to the old one would be lost.
func TestOpenAfterACompaction(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	c := f.config()
	c.LockTimeout = time.Minute
	opened := make(chan error)
	go func() {
		s, err := bolt.Open(c)
		if err == nil {
			_, err = s.Append(t.Context(), event(2))
			err = errors.Join(err, s.Close())
		}
		opened <- err
	}()
	f.append(event(1))
	fresh := f.path + ".fresh" // what a compaction does, while the store is locked
	data, err := os.ReadFile(f.path)
	must(t, err)
	must(t, os.WriteFile(fresh, data, 0o600))
	must(t, os.Rename(fresh, f.path))
	f.shut()
	must(t, <-opened)
	f.open()
	if got := f.all(); len(got) != 2 {
		t.Errorf("the file at the path has %+v, want both events", got)
	}
}

// trace runs a child under strace and returns its system calls, each on a line that ends with its result.
func trace(t *testing.T, writers, count int) []string {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is missing, which shows when the disk is waited for: run scripts/need strace")
	}
	log := filepath.Join(t.TempDir(), "trace")
	p := begin(t, filepath.Join(t.TempDir(), "store.db"), writers, 0, count,
		"strace", "-f", "-o", log, "-e", "trace=pwrite64,fdatasync,fsync,write", "-s", "16")
	said := 0
	for p.lines.Scan() {
		said++
	}
	must(t, p.Wait())
	if said < count {
		t.Fatalf("the child acknowledged %d, want %d", said, count)
	}
	data, err := os.ReadFile(log)
	must(t, err)
	return joined(data)
}

var (
	unfinished = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	metaWrite  = regexp.MustCompile(`pwrite64\(\d+, .*, 4096, (0|4096)\) += 4096$`)
	synced     = regexp.MustCompile(`fdatasync\(\d+\) += 0$`)
	ack        = regexp.MustCompile(`write\(1, "(event|family|ticket) `)
)

// joined puts calls that strace shows in two lines where they end, but an acknowledgement where it begins.
func joined(log []byte) (calls []string) {
	begun := map[string]string{}
	for raw := range bytes.Lines(log) {
		line := strings.TrimSpace(string(raw))
		if m := unfinished.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[2]
			if ack.MatchString(line) {
				calls = append(calls, line)
			}
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			if line = begun[m[1]] + m[2]; ack.MatchString(line) {
				continue
			}
		}
		calls = append(calls, line)
	}
	return calls
}

// Before each acknowledgement of a lone writer the page that makes its commit valid was written and fdatasync came back.
func TestDiskBeforeAcknowledgement(t *testing.T) {
	t.Parallel()
	const count = 40
	acks, metas, written, onDisk := 0, 0, false, false
	for _, call := range trace(t, 1, count) {
		switch {
		case metaWrite.MatchString(call):
			metas++
			written, onDisk = true, false
		case synced.MatchString(call):
			onDisk = written
		case ack.MatchString(call):
			if acks++; !onDisk {
				t.Errorf("acknowledgement %d came before the disk: %s", acks, call)
			}
			written, onDisk = false, false
		}
	}
	if want := count + 2*count/10 + 2*count/10; acks != want || metas < acks {
		t.Errorf("the trace has %d acknowledgements and %d commits, want %d and as many commits", acks, metas, want)
	}
}

// Writers who come at the same time share the waits for the disk.
func TestGroupCommitSharesTheDisk(t *testing.T) {
	t.Parallel()
	const count = 1000
	acks, syncs := 0, 0
	for _, call := range trace(t, 100, count) {
		switch {
		case synced.MatchString(call):
			syncs++
		case ack.MatchString(call):
			acks++
		}
	}
	t.Logf("%d acknowledgements with %d calls of fdatasync", acks, syncs)
	if acks == 0 || syncs == 0 || 4*syncs > acks {
		t.Errorf("%d acknowledgements took %d calls of fdatasync, want at most a quarter", acks, syncs)
	}
}
