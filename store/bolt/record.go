package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/internal/uuid"
	"github.com/sallyport-auth/sallyport/session"
)

// A record is stored as
//
//	4 bytes CRC-32C of the table's tag, the key and all that follows
//	8 bytes when it may be forgotten, in nanoseconds since 1970, 0 for never
//	…       the payload
//
// with all numbers big-endian. The checksum covers the key because bbolt has none for its pages: a record that a damaged
// page puts in another's place is found.
type record struct {
	key     []byte
	forget  int64
	payload []byte
}

const recordHeader = 4 + 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(tag byte, key, rest []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte{tag})
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, rest)
}

func (r record) encode(tag byte) []byte {
	b := make([]byte, 4, recordHeader+len(r.payload))
	b = binary.BigEndian.AppendUint64(b, uint64(r.forget))
	b = append(b, r.payload...)
	binary.BigEndian.PutUint32(b, checksum(tag, r.key, b[4:]))
	return b
}

// decodeRecord returns a record whose bytes are those of key and value.
func decodeRecord(tag byte, key, value []byte) (record, error) {
	if len(value) < recordHeader || binary.BigEndian.Uint32(value) != checksum(tag, key, value[4:]) {
		return record{}, fmt.Errorf("%w: record %q %x: wrong checksum", ErrCorrupt, tag, key)
	}
	return record{key, int64(binary.BigEndian.Uint64(value[4:])), value[recordHeader:]}, nil
}

func (r record) over(now time.Time) bool { return r.forget != 0 && nanos(now) >= r.forget }

// nanos is a time as a record has it. What is too far away to be counted is never.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero() || t.Unix() > math.MaxInt64/int64(time.Second)-1:
		return 0
	case t.Unix() < 0:
		return 1
	}
	return max(t.UnixNano(), 1)
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// event is a stored event. Its key is its number; its payload is
//
//	1 byte   1 if a later event made it void, else 0
//	16 bytes id
//	3 times 8 bytes At, Until, Expires in nanoseconds, 0 for the zero time
//	7 times a length (uvarint) and a text: kind, realm, subject, session, upstream, alias, reason
type event struct {
	number uint64
	void   bool
	forget int64
	session.Event
}

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// rawID is the 16 bytes of an id that Event.Validate has seen.
func rawID(id string) []byte {
	raw, _ := uuid.Bytes(id)
	return raw[:]
}

func (e *event) record() record {
	b := make([]byte, 1, 256)
	if e.void {
		b[0] = 1
	}
	b = append(b, rawID(e.ID)...)
	for _, t := range []time.Time{e.At, e.Until, e.Expires} {
		b = binary.BigEndian.AppendUint64(b, uint64(nanos(t)))
	}
	for _, s := range []string{string(e.Kind), e.Player.Realm, e.Player.Subject, e.Session, e.Upstream, e.Alias, e.Reason} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return record{numberKey(e.number), e.forget, b}
}

const eventHeader = 1 + 16 + 3*8

func decodeEvent(r record) (event, error) {
	bad := fmt.Errorf("%w: event %x: unreadable", ErrCorrupt, r.key)
	if len(r.key) != 8 || len(r.payload) < eventHeader || r.payload[0] > 1 {
		return event{}, bad
	}
	e := event{number: binary.BigEndian.Uint64(r.key), void: r.payload[0] == 1, forget: r.forget}
	e.ID = uuid.String([16]byte(r.payload[1:17]))
	for i, t := range []*time.Time{&e.At, &e.Until, &e.Expires} {
		*t = timeOf(int64(binary.BigEndian.Uint64(r.payload[17+8*i:])))
	}
	var texts [7]string
	rest := r.payload[eventHeader:]
	for i := range texts {
		n, width := binary.Uvarint(rest)
		if width <= 0 || n > uint64(len(rest)-width) {
			return event{}, bad
		}
		texts[i] = string(rest[width : width+int(n)])
		rest = rest[width+int(n):]
	}
	if len(rest) > 0 {
		return event{}, bad
	}
	e.Kind, e.Player = session.Kind(texts[0]), identity.Player{Realm: texts[1], Subject: texts[2]}
	e.Session, e.Upstream, e.Alias, e.Reason = texts[3], texts[4], texts[5], texts[6]
	return e, nil
}
