package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

const (
	feedWait  = 10 * time.Second // how long Since waits for news
	pageLimit = 1000             // events in a batch
)

// retryWindow is how long the id of an event that a later one made void is still known, so that a call that is made
// again after its answer was lost does not undo what came after.
const retryWindow = time.Hour

// Append stores an event, see [session.Revocations]. When ctx ends while the commit is under way the event may be stored,
// and the error says so: call again with the same ID, which stores it once.
func (s *Store) Append(ctx context.Context, e session.Event) (session.Event, error) {
	if err := s.usable(ctx); err != nil {
		return session.Event{}, err
	}
	if err := e.Validate(); err != nil {
		return session.Event{}, err
	}
	for _, t := range []*time.Time{&e.At, &e.Until, &e.Expires} {
		*t = t.Round(0).UTC()
	}
	var stored session.Event
	err := s.write(ctx, func(t *txn) (err error) {
		stored, err = t.append(e)
		return err
	})
	if err != nil {
		return session.Event{}, err
	}
	return stored, nil
}

func (t *txn) append(e session.Event) (session.Event, error) {
	known, ok, err := t.eventByID(rawID(e.ID))
	if err != nil || ok {
		return known.Event, err
	}
	e.At = t.stamp(e.At)
	if !e.Expires.IsZero() && !t.now.Before(e.Expires) {
		return e, nil
	}
	old, ok, err := t.eventOfTopic(e)
	switch {
	case err != nil || ok && old.Event.Voids(e):
		return e, err
	case ok && e.Voids(old.Event):
		if err := t.void(old); err != nil {
			return e, err
		}
	}
	return e, t.store(e)
}

// stamp keeps the time of an event that was acknowledged before, and else moves on.
func (t *txn) stamp(at time.Time) time.Time {
	if !at.IsZero() && !at.After(t.now) {
		return at
	}
	t.last = max(nanos(t.now), t.last+1)
	return timeOf(t.last)
}

// eventByID returns the event of an id. One that is over it forgets, so that the id is free.
func (t *txn) eventByID(id []byte) (event, bool, error) {
	number := t.Bucket(idBucket).Get(id)
	if number == nil {
		return event{}, false, nil
	}
	e, ok, err := t.event(number)
	if err == nil && !ok {
		err = t.forgetEvent(bytes.Clone(number))
	}
	return e, ok, err
}

// event returns the event of a number that an index has, unless it is over.
func (t *txn) event(number []byte) (event, bool, error) {
	r, ok, err := t.get(events, number)
	if err == nil && !ok {
		err = fmt.Errorf("%w: event %x is missing", ErrCorrupt, number)
	}
	if err != nil || r.over(t.now) {
		return event{}, false, err
	}
	e, err := decodeEvent(r)
	return e, err == nil, err
}

func (t *txn) eventOfTopic(e session.Event) (event, bool, error) {
	number := t.Bucket(topicBucket).Get(topicKey(e))
	if number == nil {
		return event{}, false, nil
	}
	return t.event(number)
}

func topicKey(e session.Event) []byte {
	sum := sha256.Sum256([]byte(e.Topic()))
	return sum[:16]
}

func (t *txn) store(e session.Event) error {
	number, err := t.Bucket(events.bucket).NextSequence()
	if err != nil {
		return err
	}
	stored := event{number: number, forget: nanos(e.Expires), Event: e}
	if err := t.put(events, stored.record()); err != nil {
		return err
	}
	t.news = true
	if err := t.Bucket(idBucket).Put(rawID(e.ID), numberKey(number)); err != nil {
		return err
	}
	return t.Bucket(topicBucket).Put(topicKey(e), numberKey(number))
}

// void takes an event out of the feed.
func (t *txn) void(e event) error {
	e.void = true
	if end := nanos(t.now.Add(retryWindow)); e.forget == 0 || e.forget > end {
		e.forget = end
	}
	if err := t.Bucket(topicBucket).Delete(topicKey(e.Event)); err != nil {
		return err
	}
	return t.put(events, e.record())
}

func (t *txn) forgetEvent(number []byte) error {
	r, ok, err := t.get(events, number)
	if err != nil || !ok {
		return err
	}
	e, err := decodeEvent(r)
	if err != nil {
		return err
	}
	if err := t.Bucket(idBucket).Delete(rawID(e.ID)); err != nil {
		return err
	}
	topics, topic := t.Bucket(topicBucket), topicKey(e.Event)
	if bytes.Equal(topics.Get(topic), number) {
		if err := topics.Delete(topic); err != nil {
			return err
		}
	}
	return t.remove(events, number)
}

// Since returns what was stored after cursor, see [session.Feed]. A cursor holds until the store is closed: after a
// restart every follower reads from the beginning, so that it misses nothing if the file was replaced by a backup.
func (s *Store) Since(ctx context.Context, cursor string) (session.Batch, error) {
	timer := time.NewTimer(feedWait)
	defer timer.Stop()
	for {
		news := s.news.wait()
		var batch session.Batch
		err := s.view(ctx, func(t *txn) (err error) {
			batch, err = t.since(s.epoch, cursor)
			return err
		})
		if err != nil {
			return session.Batch{}, err
		}
		if batch.Reset || len(batch.Events) > 0 {
			return batch, nil
		}
		cursor = batch.Cursor
		select {
		case <-news:
		case <-timer.C:
			return batch, nil
		case <-ctx.Done():
			return session.Batch{}, unavailable(ctx.Err())
		case <-s.quit:
			return session.Batch{}, unavailable(errClosed)
		}
	}
}

func (t *txn) since(epoch, cursor string) (session.Batch, error) {
	b := t.Bucket(events.bucket)
	end := b.Sequence()
	after, known := parseCursor(cursor, epoch, end)
	batch := session.Batch{Reset: !known, Events: []session.Event{}}
	c := b.Cursor()
	for k, v := c.Seek(numberKey(after + 1)); k != nil; k, v = c.Next() {
		r, err := decodeRecord(events.tag, k, v)
		if err != nil {
			return session.Batch{}, err
		}
		if r.over(t.now) {
			continue
		}
		e, err := decodeEvent(r)
		if err != nil {
			return session.Batch{}, err
		}
		if e.void {
			continue
		}
		if batch.More = len(batch.Events) == pageLimit; batch.More {
			end = after
			break
		}
		batch.Events = append(batch.Events, e.Event)
		after = e.number
	}
	batch.Cursor = epoch + "." + strconv.FormatUint(end, 10)
	return batch, nil
}

func parseCursor(cursor, epoch string, end uint64) (uint64, bool) {
	of, number, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || of != epoch || n > end {
		return 0, false
	}
	return n, true
}
