package jws

import (
	"encoding/binary"
	"strings"
)

// member is a name and its value, by where the name starts in the text of their object, behind its quote; with the bit
// escaped set for a name with escapes. All else about it is found in the text, which was scanned already.
type member uint32

const escaped member = 1 << 31

func (m member) start() int { return int(m &^ escaped) }

// written returns the name of a member of text as it was written.
func written[T string | []byte](text T, m member) T {
	i := m.start()
	for text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return text[m.start():i]
}

// appendTable appends the table of an object's members.
func appendTable(buf []byte, members []member) []byte {
	for _, m := range members {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(m))
	}
	return buf
}

// at returns the member of that number.
func (o *Object) at(i int) member { return member(fourBytes(o.text[int(o.size)+4*i:])) }

// find returns the number of the member with that name and the place of the name's closing quote, or not found.
func (o Object) find(name string) (i, quote int, found bool) {
	for i := range o.Len() {
		m := o.at(i)
		start, end := m.start(), m.start()+len(name)
		switch {
		case m&escaped != 0:
			if as := written(o.text, m); unescape(as) == name {
				return i, start + len(as), true
			}
		case end < int(o.size) && o.text[end] == '"' && o.text[start:end] == name:
			// A name with a quote would reach beyond the one that stands here.
			if strings.IndexByte(name, '"') < 0 {
				return i, end, true
			}
		}
	}
	return 0, 0, false
}

// entry returns the name and the value, as it was written, of the member of that number.
func (o Object) entry(i int) (name, raw string) {
	m := o.at(i)
	name = written(o.text, m)
	raw = o.raw(i, m.start()+len(name))
	if m&escaped != 0 {
		name = unescape(name)
	}
	return name, raw
}

// raw returns the value of the member of that number as it was written; quote is the place of its name's closing quote.
// The value stands between a colon and the comma before the next name, or the brace at the end.
func (o Object) raw(i, quote int) string {
	start := quote + 2
	if o.text[quote+1] != ':' || o.text[start] <= ' ' {
		start = skipSpace(o.text, skipSpace(o.text, quote+1)+1)
	}
	end := int(o.size)
	if i+1 < o.Len() {
		end = o.at(i+1).start() - 1
	}
	end = trimSpace(o.text, end) - 1
	return o.text[start:trimSpace(o.text, end)]
}

// trimSpace returns the end of text[:end] without white space behind it. Only that is not above a space, outside of
// strings.
func trimSpace(text string, end int) int {
	for text[end-1] <= ' ' {
		end--
	}
	return end
}

// object parses the text at the end of buf, from start on. buf may be the scratch's own.
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
	if scan.want != "" {
		s.keep(buf)
		return Object{}, malformed("", scan.want)
	}
	size := len(scan.data)
	buf = appendTable(buf, scan.members)
	s.keep(buf)
	return Object{text: string(buf[start:]), size: uint32(size), count: uint32(len(scan.members))}, nil
}
