package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// The file, format 1, has these buckets:
//
//	meta      "format": the number of the format; "last": the latest At that the store gave, in nanoseconds
//	events    number → record; the bucket's sequence is the last number
//	ids       an event's id → its number
//	topics    the first 16 bytes of SHA-256 of a topic → the number of the event that was stored last of it
//	families  id → record with the family as JSON
//	tickets   digest → record with the sealed ticket
//	expiry    when to forget, tag of the table, key → 1, for every record that is to be forgotten
const format = 1

var (
	metaBucket   = []byte("meta")
	idBucket     = []byte("ids")
	topicBucket  = []byte("topics")
	expiryBucket = []byte("expiry")

	formatKey = []byte("format")
	lastKey   = []byte("last")
)

// table is a bucket of records.
type table struct {
	bucket []byte
	tag    byte
}

var (
	events   = table{[]byte("events"), 'e'}
	families = table{[]byte("families"), 'f'}
	tickets  = table{[]byte("tickets"), 't'}
)

func buckets() [][]byte {
	return [][]byte{metaBucket, events.bucket, idBucket, topicBucket, families.bucket, tickets.bucket, expiryBucket}
}

// txn is a transaction, for reading or for a batch of writes.
type txn struct {
	*bbolt.Tx
	now   time.Time
	last  int64 // the latest At given
	dirty bool  // something changed
	news  bool  // an event was stored
}

func newTxn(tx *bbolt.Tx, now time.Time) *txn {
	t := &txn{Tx: tx, now: now.Round(0).UTC()}
	if v := tx.Bucket(metaBucket).Get(lastKey); len(v) == 8 {
		t.last = int64(binary.BigEndian.Uint64(v))
	}
	return t
}

// get returns the record of a key, also one that is over. Its bytes are good until the transaction changes something.
func (t *txn) get(in table, key []byte) (record, bool, error) {
	value := t.Bucket(in.bucket).Get(key)
	if value == nil {
		return record{}, false, nil
	}
	r, err := decodeRecord(in.tag, key, value)
	return r, err == nil, err
}

// live returns the record of a key that is not over.
func (t *txn) live(in table, key []byte) (record, bool, error) {
	r, ok, err := t.get(in, key)
	return r, ok && !r.over(t.now), err
}

// put stores a record in the place of the one that is there, if there is one.
func (t *txn) put(in table, r record) error {
	if err := t.remove(in, r.key); err != nil {
		return err
	}
	t.dirty = true
	b := t.Bucket(in.bucket)
	if in.tag == events.tag {
		b.FillPercent = 0.9 // their keys only grow
	}
	if err := b.Put(r.key, r.encode(in.tag)); err != nil || r.forget == 0 {
		return err
	}
	return t.Bucket(expiryBucket).Put(expiryKey(in, r), []byte{1})
}

// remove forgets a record, if it is there.
func (t *txn) remove(in table, key []byte) error {
	r, ok, err := t.get(in, key)
	if err != nil || !ok {
		return err
	}
	t.dirty = true
	if r.forget != 0 {
		if err := t.Bucket(expiryBucket).Delete(expiryKey(in, r)); err != nil {
			return err
		}
	}
	return t.Bucket(in.bucket).Delete(key)
}

func expiryKey(in table, r record) []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 9+len(r.key)), uint64(r.forget))
	return append(append(k, in.tag), r.key...)
}

// prune forgets what is over, at most limit records, and says how many they were.
func (t *txn) prune(limit int) (int, error) {
	var due [][]byte
	c := t.Bucket(expiryBucket).Cursor()
	for k, _ := c.First(); len(k) > 9 && binary.BigEndian.Uint64(k) <= uint64(nanos(t.now)); k, _ = c.Next() {
		if len(due) == limit {
			break
		}
		due = append(due, bytes.Clone(k))
	}
	for _, k := range due {
		t.dirty = true
		if err := t.forget(k[8], k[9:]); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (t *txn) forget(tag byte, key []byte) error {
	switch tag {
	case events.tag:
		return t.forgetEvent(key)
	case families.tag:
		return t.remove(families, key)
	case tickets.tag:
		return t.remove(tickets, key)
	}
	return fmt.Errorf("%w: expiry of an unknown table %q", ErrCorrupt, tag)
}

// finish writes what the batch changed about the store itself.
func (t *txn) finish() error {
	return t.Bucket(metaBucket).Put(lastKey, binary.BigEndian.AppendUint64(nil, uint64(t.last)))
}
