package redis

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

var errAnswer = errors.New("the server's answer is not what the script gives")

func (s *Store) familyKey(id string) []string {
	return []string{s.config.Namespace + ":" + version + ":family:" + id}
}

// Create stores a new family, see [session.Families].
func (s *Store) Create(ctx context.Context, f session.Family) error {
	body, err := json.Marshal(constant(f))
	if err != nil {
		return errors.New("redis: this family has no JSON form")
	}
	answer, err := s.call(ctx, createScript, s.familyKey(f.ID),
		string(body), strconv.FormatUint(f.Number, 10), micros(f.RotatedAt), micros(f.Expires))
	if err != nil {
		return err
	}
	return status(text(answer, 0))
}

// constant is the part of a family that no rotation changes.
func constant(f session.Family) session.Family {
	f.Number, f.RotatedAt = 0, time.Time{}
	for _, t := range []*time.Time{&f.CreatedAt, &f.Expires, &f.AuthTime} {
		*t = t.Round(0).UTC()
	}
	return f
}

// Get returns a family, see [session.Families]. One from before a fail-over is not found.
func (s *Store) Get(ctx context.Context, id string) (session.Family, error) {
	return s.family(ctx, getScript, id, "", "")
}

// Rotate moves a family to its next number, see [session.Families]. One from before a fail-over is not found.
func (s *Store) Rotate(ctx context.Context, id string, from uint64) (session.Family, error) {
	return s.family(ctx, rotateScript, id, strconv.FormatUint(from, 10), strconv.FormatUint(from+1, 10))
}

func (s *Store) family(ctx context.Context, c *script, id, from, to string) (session.Family, error) {
	keep := ""
	if s.config.InsecureKeepFamilies {
		keep = "1"
	}
	answer, err := s.call(ctx, c, s.familyKey(id), from, to, keep)
	if err != nil {
		return session.Family{}, err
	}
	err = status(text(answer, 0))
	if err != nil && !errors.Is(err, session.ErrConflict) {
		return session.Family{}, err
	}
	f, broken := parseFamily(answer)
	return f, errors.Join(broken, err)
}

func parseFamily(answer []rueidis.RedisMessage) (session.Family, error) {
	var f session.Family
	if err := json.Unmarshal([]byte(text(answer, 1)), &f); err != nil {
		return session.Family{}, unavailable(errAnswer)
	}
	f.Number = number(answer, 2)
	if rotated := number(answer, 3); rotated > 0 {
		f.RotatedAt = time.UnixMicro(int64(rotated)).UTC()
	}
	return f, nil
}
