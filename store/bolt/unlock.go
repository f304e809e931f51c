//go:build unix && !solaris && !illumos && !aix

package bolt

import (
	"errors"
	"os"
	"syscall"
)

// release closes a file that bbolt left locked. Closing alone is not enough: as long as the file is mapped into memory, and
// bbolt left that too, the lock holds.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
