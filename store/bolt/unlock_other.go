//go:build !unix || solaris || illumos || aix

package bolt

import "os"

// release closes a file that bbolt left locked, which unlocks it on these systems.
func release(f *os.File) error { return f.Close() }
