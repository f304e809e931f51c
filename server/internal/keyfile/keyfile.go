// Package keyfile keeps the keys that sign session tokens in a file that only its owner can read.
//
//	err := keyfile.Create("keys.json", jws.EdDSA, time.Now())
//	entries, err := keyfile.Read("keys.json")
//
// A file that its group or others may read or write is refused, because its keys must be taken as known. Files are written
// whole or not at all: beside the old one, flushed to the disk, then renamed over it. Who changes a file holds a lock on its
// folder meanwhile, so that two rotations at once lose no key.
package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// rsaBits is the size of new RS256 keys.
const rsaBits = 3072

// maxBytes is the most a key file may have, as package session has it.
const maxBytes = 1 << 20

// Read returns the keys of a file. The error says how to put right what is wrong with the file; it never holds a key.
func Read(path string) ([]session.KeyEntry, error) {
	data, err := ReadPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s: make one with: sallyport keys new %s", path, path)
	}
	if err != nil {
		return nil, err
	}
	entries, err := session.ParseKeyFile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// ReadPrivate returns what is in a file with private keys of any kind, at most 1 MiB and one byte of it. It refuses a file
// that anyone but its owner may read or write.
func ReadPrivate(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not make the server wait for a writer
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := checkMode(path, file); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(file, maxBytes+1))
}

func checkMode(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the key file %s is no regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("the key file %s has mode %04o, so others can get at its keys: rotate them, and set chmod 600 %s", path, mode, path)
	}
	return nil
}

// Ring reads a file into a key ring. The lifetimes are those of the configuration; zero means the defaults.
func Ring(path string, config session.KeyringConfig) (*session.Keyring, error) {
	entries, err := Read(path)
	if err != nil {
		return nil, err
	}
	config.Keys = entries
	ring, err := session.NewKeyring(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// Create writes a new file with one key, which signs at once. It never touches a file that is there.
func Create(path string, alg jws.Algorithm, now time.Time) error {
	ring, err := session.NewKeyring(session.KeyringConfig{Now: func() time.Time { return now }})
	if err != nil {
		return err
	}
	if err := Add(ring, alg, now); err != nil {
		return err
	}
	return write(path, ring, os.Link)
}

// Rotate adds a new key to a file: it is published at once, signs one cache lifetime later, and the one before it retires
// then. Of two rotations at once the second sees what the first one wrote. The file keeps its owner, and a symbolic link
// keeps leading to it.
func Rotate(path string, alg jws.Algorithm, config session.KeyringConfig) (_ *session.Keyring, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil { // if not, Ring says what is wrong
		path = real
	}
	unlock, err := lock(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	ring, err := Ring(path, config)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if config.Now != nil {
		now = config.Now
	}
	if err := Add(ring, alg, now()); err != nil {
		return nil, err
	}
	return ring, write(path, ring, replace)
}

// replace moves a file over another one, whose owner it takes over: a key file that root rotates must stay readable for the
// server.
func replace(from, to string) error {
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(from, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("the key file %s would change its owner; rotate it as that: %w", to, err)
		}
	}
	return os.Rename(from, to)
}

// lock waits until nobody else changes the key files of a folder. It needs no file of its own, so a process that dies
// leaves nothing behind.
func lock(folder string) (unlock func() error, err error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("the folder %s cannot be locked: %w", folder, err), dir.Close())
	}
	return dir.Close, nil
}

// Add makes a new key and adds it to a ring.
func Add(ring *session.Keyring, alg jws.Algorithm, now time.Time) error {
	signer, err := NewSigner(alg, now)
	if err != nil {
		return err
	}
	return ring.Rotate(signer)
}

// NewSigner makes a key. Its id is the day and eight random letters, so that an operator sees how old it is.
func NewSigner(alg jws.Algorithm, now time.Time) (*jws.Signer, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case jws.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jws.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jws.RS256:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		return nil, fmt.Errorf("no key is made for algorithm %q: want EdDSA, ES256 or RS256", alg)
	}
	if err != nil {
		return nil, err
	}
	return jws.NewSigner(now.UTC().Format("2006-01-02")+"-"+strings.ToLower(rand.Text()[:8]), private)
}

// write puts a ring's keys into a file by way of a new one beside it. Place moves that to its path: replace puts it in the place of
// what is there, os.Link refuses to.
func write(path string, ring *session.Keyring, place func(from, to string) error) error {
	data, err := ring.KeyFile()
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // has mode 0600
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s for the key file", filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := flush(temp, data); err != nil {
		return err
	}
	if err := place(temp.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the file %s is there already; sallyport keys rotate %s adds a key to it", path, path)
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func flush(file *os.File, data []byte) error {
	_, err := file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
