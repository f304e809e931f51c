package bolt

import (
	"encoding/binary"
	"fmt"
	"io"
)

// bbolt trusts its pages: one that points back to itself is followed for ever, and one that points too far is read from
// memory that is not there. So the whole tree is walked here first, by reading the file. A page is
//
//	8 bytes its number, 2 flags, 2 number of elements, 4 how many pages more it takes
//	for each element of a branch: 4 bytes where its key is, 4 the key's length, 8 the page below
//	for each element of a leaf: 4 bytes flags, 4 where its key is, 4 the key's length, 4 the value's length
//
// in the byte order of the machine. Positions count from the element. The value of an element whose flag 1 is set is a
// bucket: 8 bytes its page, or 0 for one that follows within the value, and 8 bytes its sequence.
const (
	branchFlag  = 1
	leafFlag    = 2
	bucketFlag  = 1
	elementSize = 16
	bucketSize  = 16
)

// pageTree is a walk over the pages that can be reached.
type pageTree struct {
	file  io.ReaderAt
	pages uint64 // that there are
	seen  map[uint64]bool
}

func (w *pageTree) damaged(page uint64, what string) error {
	return fmt.Errorf("%w: page %d %s", ErrCorrupt, page, what)
}

func (w *pageTree) walk(number uint64) error {
	if number < 2 || number >= w.pages {
		return w.damaged(number, "is not in the file")
	}
	if w.seen[number] {
		return w.damaged(number, "is used twice")
	}
	w.seen[number] = true
	page, err := w.read(number)
	if err != nil {
		return err
	}
	return w.elements(number, page)
}

func (w *pageTree) read(number uint64) ([]byte, error) {
	var head [pageHeader]byte
	if _, err := w.file.ReadAt(head[:], int64(number*pageSize)); err != nil {
		return nil, err
	}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head[:]) != number || number+more >= w.pages {
		return nil, w.damaged(number, "is another one")
	}
	page := make([]byte, (1+more)*pageSize)
	_, err := w.file.ReadAt(page, int64(number*pageSize))
	return page, err
}

func (w *pageTree) elements(number uint64, page []byte) error {
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchFlag && flags != leafFlag || pageHeader+count*elementSize > len(page) || flags == branchFlag && count == 0 {
		return w.damaged(number, "is no page of a tree")
	}
	for i := range count {
		element := page[pageHeader+i*elementSize:]
		child, ok := uint64(0), false
		if flags == branchFlag {
			child, ok = branchChild(element)
		} else {
			child, ok = leafChild(element)
		}
		if !ok {
			return w.damaged(number, "has an element beyond its end")
		}
		if child == 0 {
			continue
		}
		if err := w.walk(child); err != nil {
			return err
		}
	}
	return nil
}

// branchChild returns the page below. A page 0 is none, and so refused.
func branchChild(element []byte) (uint64, bool) {
	at, key := uint64(binary.NativeEndian.Uint32(element)), uint64(binary.NativeEndian.Uint32(element[4:]))
	child := binary.NativeEndian.Uint64(element[8:])
	return child, child != 0 && at+key <= uint64(len(element))
}

// leafChild returns the page of a bucket, or 0. A bucket within its leaf must hold nothing but entries.
func leafChild(element []byte) (uint64, bool) {
	flags, at := binary.NativeEndian.Uint32(element), uint64(binary.NativeEndian.Uint32(element[4:]))
	key, size := uint64(binary.NativeEndian.Uint32(element[8:])), uint64(binary.NativeEndian.Uint32(element[12:]))
	if at+key+size > uint64(len(element)) || flags > bucketFlag {
		return 0, false
	}
	if flags != bucketFlag {
		return 0, true
	}
	if size < bucketSize {
		return 0, false
	}
	value := element[at+key : at+key+size]
	if child := binary.NativeEndian.Uint64(value); child != 0 {
		return child, true
	}
	return 0, inlineBucket(value[bucketSize:])
}

func inlineBucket(page []byte) bool {
	if len(page) < pageHeader || binary.NativeEndian.Uint16(page[8:]) != leafFlag {
		return false
	}
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if pageHeader+count*elementSize > len(page) {
		return false
	}
	for i := range count {
		element := page[pageHeader+i*elementSize:]
		if _, ok := leafChild(element); !ok || binary.NativeEndian.Uint32(element) != 0 {
			return false
		}
	}
	return true
}
