package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// pageSize is fixed, so that a file can move between machines.
const pageSize = 4096

// create makes a store if there is no file: under another name first, so that whoever finds the path finds it whole.
func create(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := errors.Join(f.Close(), initialise(f.Name())); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(path)
}

func initialise(path string) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: pageSize, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(metaBucket).Put(formatKey, []byte(strconv.Itoa(format)))
	})
	return errors.Join(err, db.Close())
}

// syncFolder makes a new name in the folder of a file last.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // which cannot, and does it by itself
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// openFile opens and locks a file that exists and looks at what bbolt does not. With older it takes a file of which one of
// the two pages that say which state is valid is damaged. The file it returns is the one that bbolt works on and closes.
func openFile(c Config, readOnly, older bool) (*bbolt.DB, *os.File, error) {
	for {
		db, file, err := lockFile(c, readOnly)
		if err != nil {
			return nil, nil, err
		}
		replaced, err := inspect(c.Path, file, readOnly, older)
		if err == nil && !replaced {
			return db, file, nil
		}
		if err := errors.Join(err, db.Close()); err != nil {
			return nil, nil, err
		}
	}
}

// lockFile returns also the file that bbolt works on, which is bbolt's to close.
func lockFile(c Config, readOnly bool) (db *bbolt.DB, file *os.File, err error) {
	options := &bbolt.Options{
		Timeout: c.LockTimeout, ReadOnly: readOnly, PreLoadFreelist: true, PageSize: pageSize, FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
			if err != nil {
				return nil, err
			}
			info, err := file.Stat()
			if err == nil && info.Size() == 0 {
				err = ErrCorrupt // bbolt would begin anew
			}
			return file, err
		},
	}
	err = guard(func() (err error) {
		db, err = bbolt.Open(c.Path, 0o600, options)
		return err
	})
	if err == nil {
		return db, file, nil
	}
	err = explain(c, err)
	if file != nil {
		_ = release(file) // if bbolt did not come to it
	}
	return nil, nil, err
}

// explain names what bbolt.Open met.
func explain(c Config, err error) error {
	var system syscall.Errno
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("%w: %s (waited %v): stop the other one first", ErrInUse, c.Path, c.LockTimeout)
	case errors.Is(err, bbolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %s: made by another version of bbolt", ErrFormat, c.Path)
	case errors.As(err, &system):
		return fmt.Errorf("bolt: %s: %w", c.Path, err)
	}
	if again, failed := os.Open(c.Path); failed == nil { // bbolt may have closed the first one
		found := checkPages(c.Path, again, false)
		_ = again.Close()
		if found != nil {
			return found
		}
	}
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	return fmt.Errorf("%w: %s: %v", ErrCorrupt, c.Path, err)
}

// inspect looks at the file that is locked now. It is replaced if a compaction put another one in its place meanwhile.
func inspect(path string, file *os.File, readOnly, older bool) (replaced bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if !os.SameFile(info, named) {
		return true, nil
	}
	if !readOnly && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		if err := file.Chmod(0o600); err != nil {
			return false, fmt.Errorf("bolt: others may read the store, which holds secrets: %w", err)
		}
	}
	return false, checkPages(path, file, older)
}

// metaPage is one of the two pages that begin a file of bbolt's. Each commit writes the one that is older.
type metaPage struct {
	Magic, Version, PageSize, Flags uint32
	Root, Sequence, Freelist, Pages uint64
	Transaction, Checksum           uint64
}

const (
	pageHeader = 16
	metaSummed = 56 // bytes that the checksum covers
)

// checkPages finds what bbolt passes over: it takes the state before the last commit if the last one's page is damaged,
// it reads beyond the end of a file that is too short, and it follows any page.
func checkPages(path string, file *os.File, older bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var last metaPage
	valid := 0
	for i := range int64(2) {
		m, ok := readMeta(file, i*pageSize)
		if ok {
			valid++
		}
		if ok && (valid == 1 || m.Transaction > last.Transaction) {
			last = m
		}
	}
	switch size := uint64(info.Size()); {
	case size == 0:
		return fmt.Errorf("%w: %s: the file is empty, which a store never is", ErrCorrupt, path)
	case valid == 0:
		return fmt.Errorf("%w: %s: not a file of bbolt's, or its first two pages are damaged", ErrCorrupt, path)
	case valid == 1 && !older:
		return fmt.Errorf("%w: %s: one of its first two pages is damaged, so the last commit may be lost: "+
			"restore a backup, or compact it with AcceptOlderState", ErrCorrupt, path)
	case size < last.Pages*pageSize:
		return fmt.Errorf("%w: %s: cut off at %d of at least %d bytes", ErrCorrupt, path, size, last.Pages*pageSize)
	}
	tree := pageTree{file, last.Pages, map[uint64]bool{}}
	if err := tree.walk(last.Root); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readMeta(file *os.File, at int64) (m metaPage, ok bool) {
	page := make([]byte, pageHeader+metaSummed+8)
	if _, err := file.ReadAt(page, at); err != nil {
		return m, false
	}
	if _, err := binary.Decode(page[pageHeader:], binary.NativeEndian, &m); err != nil {
		return m, false
	}
	sum := fnv.New64a()
	_, _ = sum.Write(page[pageHeader : pageHeader+metaSummed])
	return m, sum.Sum64() == m.Checksum && m.PageSize == pageSize
}
