package jws

import "encoding/binary"

// member is one name and its value, as places in the text of an object: 20 bits each for where the name starts, where
// it ends (both without quotes) and where the value ends, then a bit each for a name and a string value with escapes.
type member uint64

const (
	placeBits = 20
	placeMask = 1<<placeBits - 1
	// maxObject is the longest text of an object in bytes, so that a place within it has placeBits.
	maxObject = 1 << placeBits
	// memberSize is the size of a member in bytes.
	memberSize = 8

	nameEscaped  member = 1 << 60
	valueEscaped member = 1 << 61
)

// newMember returns a member with a name and, as yet, no value.
func newMember(nameStart, nameEnd int) member {
	return member(nameStart) | member(nameEnd)<<placeBits
}

func (m member) withValue(end int) member { return m | member(end)<<(2*placeBits) }

func (m member) nameStart() int     { return int(m & placeMask) }
func (m member) nameEnd() int       { return int(m >> placeBits & placeMask) }
func (m member) valueEnd() int      { return int(m >> (2 * placeBits) & placeMask) }
func (m member) nameEscaped() bool  { return m&nameEscaped != 0 }
func (m member) valueEscaped() bool { return m&valueEscaped != 0 }

// object parses the text at the end of buf, from start on, and returns it with its table. buf may be in the scratch.
func (s *scratch) object(buf []byte, start int) (Object, error) {
	scan := scanner{data: buf[start:], members: s.members[:0]}
	scan.whole()
	return s.seal(&scan, buf, start)
}

// seal writes the table behind the text that was scanned and makes one string of the two.
func (s *scratch) seal(scan *scanner, buf []byte, start int) (Object, error) {
	if cap(scan.members) != cap(s.members) {
		s.members = scan.members[:0]
	}
	size := len(buf) - start
	for _, m := range scan.members {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(m))
	}
	s.keep(buf)
	if scan.want != "" {
		return Object{}, malformed("", scan.want)
	}
	return Object{text: string(buf[start:]), size: uint32(size), count: uint32(len(scan.members))}, nil
}
