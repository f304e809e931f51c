package redis

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

func (s *Store) ticketKey(digest [32]byte) []string {
	return []string{s.config.Namespace + ":" + version + ":ticket:" + hex.EncodeToString(digest[:])}
}

// Put stores a sealed ticket, see [session.Tickets].
func (s *Store) Put(ctx context.Context, digest [32]byte, sealed []byte, expires time.Time) error {
	answer, err := s.call(ctx, putScript, s.ticketKey(digest), string(sealed), micros(expires))
	if err != nil {
		return err
	}
	return status(text(answer, 0))
}

// Take returns a sealed ticket once, see [session.Tickets]. It is never tried a second time: if the answer is lost, so
// is the ticket.
func (s *Store) Take(ctx context.Context, digest [32]byte) ([]byte, error) {
	answer, err := s.call(ctx, takeScript, s.ticketKey(digest))
	if err != nil {
		return nil, err
	}
	if err := status(text(answer, 0)); err != nil {
		return nil, err
	}
	return []byte(text(answer, 1)), nil
}

// status is the error that the word at the head of a script's answer stands for.
func status(word string) error {
	switch word {
	case "ok":
		return nil
	case "missing":
		return session.ErrNotFound
	case "conflict":
		return session.ErrConflict
	default:
		return unavailable(errAnswer)
	}
}
