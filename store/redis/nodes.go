package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport-auth/sallyport/session"
)

// everyone is the channel of all nodes: no node has this name, as a node's has no colon.
const everyone = ":all"

func (s *Store) membersKey() []string {
	return []string{s.config.Namespace + ":" + version + ":{" + s.config.Namespace + "}:nodes"}
}

// Announce says that a node lives, see [session.Nodes].
func (s *Store) Announce(ctx context.Context, node string, life time.Duration) error {
	_, err := s.call(ctx, membersScript, s.membersKey(), node, strconv.FormatInt(life.Microseconds(), 10))
	return err
}

// Members returns the nodes that live, see [session.Nodes].
func (s *Store) Members(ctx context.Context) ([]string, error) {
	answer, err := s.call(ctx, membersScript, s.membersKey(), "")
	if err != nil {
		return nil, err
	}
	members := make([]string, 0, len(answer))
	for i := range answer {
		members = append(members, text(answer, i))
	}
	slices.Sort(members)
	return members, nil
}

// Send sends a text, see [session.Nodes].
func (s *Store) Send(ctx context.Context, node string, body []byte) error {
	if node == "" {
		node = everyone
	}
	_, err := s.call(ctx, sendScript, s.membersKey(), s.channel(node), "B"+string(body))
	return err
}

// Listen calls told with each message for a node, see [session.Nodes], on a connection of its own.
func (s *Store) Listen(ctx context.Context, node string, told func(session.Message)) error {
	joined := func() { told(session.Message{Joined: true}) }
	return s.listen(ctx, []string{s.channel(node), s.channel(everyone)}, joined, func(text string) {
		if message, ok := parseMessage(text); ok {
			told(message)
		}
	})
}

// listen calls joined once it hears all channels, and told with each text.
func (s *Store) listen(ctx context.Context, channels []string, joined func(), told func(string)) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.healer.life, cancel)()
	conn, release := s.client.Dedicate()
	defer release()
	defer conn.Close()
	confirmed := 0
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnSubscription: func(rueidis.PubSubSubscription) {
			if confirmed++; confirmed == len(channels) && ctx.Err() == nil {
				joined()
			}
		},
		OnMessage: func(m rueidis.PubSubMessage) {
			if ctx.Err() == nil {
				told(m.Message)
			}
		},
	})
	subscribing, end := context.WithTimeout(ctx, s.config.Timeout)
	defer end()
	if err := conn.Do(subscribing, conn.B().Subscribe().Channel(channels...).Build()).Error(); err != nil {
		return unavailable(err)
	}
	select {
	case err := <-lost:
		return unavailable(errors.Join(errSilence, err))
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

var errSilence = errors.New("the connection that listens is lost")

func parseMessage(text string) (session.Message, bool) {
	if body, ok := strings.CutPrefix(text, "B"); ok {
		return session.Message{Body: []byte(body)}, true
	}
	number, err := strconv.ParseUint(strings.TrimPrefix(text, "L"), 10, 64)
	return session.Message{Lost: number}, err == nil && number != 0
}
