package keyfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/session"
)

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func config(at time.Time) session.KeyringConfig {
	return session.KeyringConfig{Now: func() time.Time { return at }}
}

func create(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := keyfile.Create(path, jws.EdDSA, now); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLifeOfAKeyFile(t *testing.T) {
	path := create(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v", info.Mode(), err)
	}
	ring, err := keyfile.Rotate(path, jws.ES256, config(now.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	states := ring.State()
	if len(states) != 2 || states[0].State != session.KeySigning || states[1].State != session.KeyPublished || states[1].Algorithm != jws.ES256 {
		t.Errorf("after the rotation: %+v", states)
	}
	later, err := keyfile.Ring(path, config(now.Add(2*time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if signer, err := later.Signer(); err != nil || signer.Key().ID() != states[1].KeyID {
		t.Errorf("the new key does not sign after the cache lifetime: %v", err)
	}
	if _, err := keyfile.Rotate(path, jws.EdDSA, config(now.Add(2*time.Minute))); err == nil || !strings.Contains(err.Error(), "has yet to sign") {
		t.Errorf("a second rotation at once: %v", err)
	}
	onlyFile(t, path)
}

// onlyFile checks that no temporary file is left.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, error %v", entries, err)
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	path := create(t)
	before, _ := os.ReadFile(path)
	err := keyfile.Create(path, jws.EdDSA, now)
	if err == nil || !strings.Contains(err.Error(), "is there already; sallyport keys rotate") {
		t.Errorf("error %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the file changed")
	}
	onlyFile(t, path)
}

func TestReadRefuses(t *testing.T) {
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad")
	if err := os.WriteFile(bad, []byte(`{"keys": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	open := create(t)
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "none"): "make one with: sallyport keys new ",
		bad:                           `"keys" must be an array of objects`,
		open:                          "has mode 0640",
		folder:                        "is no regular file",
	} {
		if _, err := keyfile.Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

func TestNewSigner(t *testing.T) {
	for _, alg := range []jws.Algorithm{jws.EdDSA, jws.ES256, jws.RS256} {
		signer, err := keyfile.NewSigner(alg, now)
		if err != nil {
			t.Fatal(err)
		}
		if id := signer.Key().ID(); signer.Key().Algorithm() != alg || !strings.HasPrefix(id, "2026-11-01-") || len(id) != 19 {
			t.Errorf("%s: key %s", alg, id)
		}
	}
	if _, err := keyfile.NewSigner(jws.HS256, now); err == nil {
		t.Error("a secret key was made")
	}
}

// TestRotationsAtOnce rotates one file from many sides: one of them comes first, the others see its key, and no key is lost.
func TestRotationsAtOnce(t *testing.T) {
	path := create(t)
	made := make(chan string, 8)
	var all sync.WaitGroup
	for range cap(made) {
		all.Go(func() {
			ring, err := keyfile.Rotate(path, jws.EdDSA, config(now.Add(time.Minute)))
			if err == nil {
				made <- ring.State()[1].KeyID
			} else if !strings.Contains(err.Error(), "has yet to sign") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(made)
	var kids []string
	for kid := range made {
		kids = append(kids, kid)
	}
	entries, err := keyfile.Read(path)
	if err != nil || len(kids) != 1 || len(entries) != 2 || entries[1].Signer.Key().ID() != kids[0] {
		t.Errorf("rotations that succeeded: %v; keys in the file: %d; error %v", kids, len(entries), err)
	}
	onlyFile(t, path)
}

// TestRotateKeepsOwnerAndLink rotates by way of a symbolic link, as root a file of somebody else.
func TestRotateKeepsOwnerAndLink(t *testing.T) {
	path, owner := create(t), os.Getuid()
	if owner == 0 {
		owner = 12345
		if err := os.Chown(path, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link.json")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Rotate(link, jws.EdDSA, config(now)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || int(info.Sys().(*syscall.Stat_t).Uid) != owner || info.Mode().Perm() != 0o600 {
		t.Errorf("after the rotation: %+v, error %v", info, err)
	}
	if entries, err := keyfile.Read(path); err != nil || len(entries) != 2 {
		t.Errorf("the file has %d keys, error %v", len(entries), err)
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link leads to %q, error %v", to, err)
	}
}

func TestPipeIsNoKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Read(path); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("error %v", err)
	}
}

func TestNoFolder(t *testing.T) {
	err := keyfile.Create(filepath.Join(t.TempDir(), "none", "keys.json"), jws.EdDSA, now)
	if err == nil || !strings.Contains(err.Error(), "there is no folder ") || strings.Contains(err.Error(), ".keys.json") {
		t.Errorf("error %v", err)
	}
}
