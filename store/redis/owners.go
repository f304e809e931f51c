package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

const (
	// slotBuckets are the hash tags of the slots: one call to a cluster is for the slots of one tag.
	slotBuckets = 64
	// ownersLimit is how many slots one call is for, about 1 ms of the server's time.
	ownersLimit = 250
)

// slotKey has a digest, not the player's id, which may be long and is nobody's business.
func (s *Store) slotKey(slot session.OwnedSlot) (key string, bucket byte) {
	text := fmt.Appendf(nil, "%q %q %q %q", slot.Player.Realm, slot.Player.Subject, slot.Route, slot.Name)
	sum := sha256.Sum256(text)
	bucket = sum[31] % slotBuckets
	digest := base64.RawURLEncoding.EncodeToString(sum[:16])
	return fmt.Sprintf("%s:%s:{%s-slot-%d}:%s", s.config.Namespace, version, s.config.Namespace, bucket, digest), bucket
}

func (s *Store) channel(node string) string {
	return s.config.Namespace + ":" + version + ":to:" + node
}

// leaseOf is how long the server keeps a claim, in microseconds.
func leaseOf(lease time.Duration) string {
	return strconv.FormatInt((lease + session.OwnerGuard).Microseconds(), 10)
}

// ClaimSlot gives a socket a place in its slot, see [session.Owners].
func (s *Store) ClaimSlot(ctx context.Context, w session.Want) (session.Claim, error) {
	refuse := ""
	if w.Refuse {
		refuse = "1"
	}
	key, _ := s.slotKey(w.Slot)
	answer, err := s.call(ctx, claimScript, []string{key}, w.Node, strconv.FormatUint(w.Number, 10), strconv.Itoa(w.Room),
		refuse, leaseOf(w.Lease), strconv.FormatInt(w.Age.Microseconds(), 10), s.channel(""), strconv.Itoa(s.config.Replicas))
	if err == nil {
		err = status(text(answer, 0))
	}
	if err != nil {
		return session.Claim{}, err
	}
	return session.Claim{Slot: w.Slot, Number: w.Number, Room: w.Room, Fence: number(answer, 1), Epoch: text(answer, 2)}, nil
}

// RenewSlots extends claims of a node, see [session.Owners]: one call for 250 claims, in a cluster for those of a hash tag.
func (s *Store) RenewSlots(ctx context.Context, node string, lease time.Duration, claims []session.Claim) ([]session.Renewal, error) {
	renewals := make([]session.Renewal, len(claims))
	batches := s.batches(claims)
	common := []string{s.now(), node, leaseOf(lease), s.channel(""), strconv.Itoa(s.config.Replicas)}
	err := s.callAll(ctx, renewScript, batches, common, func(c session.Claim) []string {
		return []string{
			strconv.FormatUint(c.Number, 10), strconv.Itoa(c.Room), strconv.FormatUint(c.Fence, 10), c.Epoch,
		}
	}, func(b batch, answer []rueidis.RedisMessage) error {
		return b.standings(renewals, text(answer, 0), text(answer, 1))
	})
	return renewals, err
}

// ReleaseSlots gives up claims of a node, see [session.Owners].
func (s *Store) ReleaseSlots(ctx context.Context, node string, claims []session.Claim) error {
	return s.callAll(ctx, releaseScript, s.batches(claims), []string{s.now(), node}, func(c session.Claim) []string {
		return []string{strconv.FormatUint(c.Number, 10)}
	}, func(_ batch, answer []rueidis.RedisMessage) error { return status(text(answer, 0)) })
}

// batch is what one call is for.
type batch struct {
	claims []session.Claim
	keys   []string
	places []int // of the claims in the caller's list
}

// batches groups claims by bucket for a cluster; one server takes them as they come.
func (s *Store) batches(claims []session.Claim) []*batch {
	var all []*batch
	var open [slotBuckets]*batch
	for i, c := range claims {
		key, bucket := s.slotKey(c.Slot)
		if !s.config.Cluster {
			bucket = 0
		}
		b := open[bucket]
		if b == nil || len(b.keys) == ownersLimit {
			b = &batch{}
			open[bucket], all = b, append(all, b)
		}
		b.claims, b.keys, b.places = append(b.claims, c), append(b.keys, key), append(b.places, i)
	}
	return all
}

var standingOf = map[byte]session.Standing{'H': session.StandingHeld, 'R': session.StandingReplaced, 'G': session.StandingGone}

func (b *batch) standings(renewals []session.Renewal, epoch, letters string) error {
	if len(letters) != len(b.places) || epoch == "" {
		return unavailable(errAnswer)
	}
	for i, place := range b.places {
		renewals[place].Standing = standingOf[letters[i]]
		if renewals[place].Standing == session.StandingHeld {
			renewals[place].Epoch = epoch
		}
	}
	return nil
}

// callAll runs a script for all batches together and gives each answer to take. The error is that of the first batch that
// has one; the others have been taken.
func (s *Store) callAll(
	ctx context.Context, c *script, batches []*batch, common []string,
	args func(session.Claim) []string, take func(batch, []rueidis.RedisMessage) error,
) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	if len(batches) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	all := make([][]string, len(batches))
	commands := make([]rueidis.Completed, len(batches))
	for i, b := range batches {
		all[i] = append(all[i], common...)
		for _, claim := range b.claims {
			all[i] = append(all[i], args(claim)...)
		}
		commands[i] = c.named(s.client.B(), b.keys, all[i])
	}
	var failed error
	for i, result := range s.client.DoMulti(limited, commands...) {
		answer, err := result.ToArray()
		if again(err) {
			answer, err = s.call(limited, c, batches[i].keys, all[i][1:]...)
		} else if err != nil {
			err = unavailable(err)
		}
		if err == nil {
			err = take(*batches[i], answer)
		}
		if failed == nil {
			failed = err
		}
	}
	return failed
}

// again says whether a call of many is to be made alone: the server does not have the script, or the connection was lost.
func again(err error) bool {
	answered, ok := rueidis.IsRedisErr(err)
	return ok && answered.IsNoScript() || lost(err) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}
