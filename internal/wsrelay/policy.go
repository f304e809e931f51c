package wsrelay

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// Pinger says who pings a client. There is only one on a socket, because a client may answer the latest ping alone
// (RFC 6455 section 5.5.3).
type Pinger string

const (
	// RelayPings: the relay pings, and answers the backend's pings itself. For backends that do not ping, and for
	// clients that cannot answer pings (Policy.Heartbeat).
	RelayPings Pinger = "relay"
	// BackendPings: pings and pongs pass, and the relay only watches them, so that the backend sees a dead client by
	// itself. For backends that ping: Nakama every 15 s, Colyseus every 3 s.
	BackendPings Pinger = "backend"
)

// Policy is how the sockets of a route live. Profile and Pinger are required. [NewPolicy] makes it usable; it must not be
// changed after that, and is shared by all sockets of the route.
type Policy struct {
	// Profile chooses the close codes.
	Profile connect.Profile
	// Pinger is who pings.
	Pinger Pinger
	// PingEvery is the time between pings with RelayPings. Default 10 s.
	PingEvery time.Duration
	// PongWait is how long a client may be silent. With RelayPings it counts from its last sign of life and must be
	// longer than PingEvery; with BackendPings it counts from the first ping that was not answered. A sign of life is a
	// pong, a heartbeat, or more of a frame that takes long to come. Default 20 s.
	PongWait time.Duration
	// Heartbeat, if set, is a text message of at most 125 bytes that clients send which cannot answer pings. It is a
	// sign of life. It is not passed on but answered with the same text, so that a script, which sees no pings, can
	// notice a dead connection too. A backend that pings would not learn of it: use RelayPings.
	Heartbeat []byte
	// Idle ends a socket whose client sent no message for so long. Pings, pongs and heartbeats are no messages. 0: never.
	Idle time.Duration
	// MaxMessage is the most bytes that a message from the client may have, as it is on the wire. More is answered as a
	// direct peer would, with 1009; Outcome.Reason is CloseFlooding. Default 1 MiB, -1: no limit.
	MaxMessage int64
	// MaxRate is how many frames a second a client may send on average, of any kind, so that neither fragments nor pings
	// get round it. More ends the socket with CloseFlooding. Default 200, -1: no limit.
	MaxRate float64
	// Burst is how many frames may come at once. Default: those of two seconds.
	Burst int
	// SlowWait is how long a side may leave what is kept for it. A client is then closed with CloseSlow, a backend is
	// lost. Default 10 s.
	SlowWait time.Duration
	// ScrubReason, if set, is given the text of a close frame of the backend before it goes to the client, to overwrite in place
	// what the client is not to see: Nakama tells addresses of its own network. It must leave UTF-8.
	ScrubReason func(text []byte)
	// CloseWait bounds the wait for the answer to a close frame of ours. Default 1 s.
	CloseWait time.Duration
	// Buffer bounds the bytes that the kernel holds for each direction of each connection, unsent or unread; Linux
	// doubles it for its own bookkeeping. Default 128 KiB.
	Buffer int

	checked bool
	rules   [2]wsframe.Rules // what comes from the client, from the backend
	gap     int64            // nanoseconds between frames at MaxRate
	slack   int64            // how far ahead of it a burst may be
}

// NewPolicy checks a policy and fills in the defaults. The error names the field to set.
func NewPolicy(p Policy) (*Policy, error) {
	p.fill()
	if err := p.check(); err != nil {
		return nil, err
	}
	p.rules[client] = wsframe.Rules{Masked: true, MaxMessage: uint64(max(p.MaxMessage, 0)), Whole: len(p.Heartbeat)}
	if p.MaxRate > 0 {
		p.gap = int64(float64(time.Second) / p.MaxRate)
		p.slack = int64(p.Burst-1) * p.gap
	}
	p.checked = true
	return &p, nil
}

const (
	defaultMaxMessage = 1 << 20
	defaultMaxRate    = 200
	defaultBuffer     = 128 << 10
	minBuffer         = 4 << 10
)

func (p *Policy) fill() {
	either := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	either(&p.PingEvery, 10*time.Second)
	either(&p.PongWait, 20*time.Second)
	either(&p.SlowWait, 10*time.Second)
	either(&p.CloseWait, time.Second)
	if p.MaxMessage == 0 {
		p.MaxMessage = defaultMaxMessage
	}
	if p.MaxRate == 0 {
		p.MaxRate = defaultMaxRate
	}
	if p.Burst == 0 {
		p.Burst = max(1, int(2*p.MaxRate))
	}
	if p.Buffer == 0 {
		p.Buffer = defaultBuffer
	}
}

func (p *Policy) check() error {
	switch {
	case p.Profile.Closing(connect.CloseFinished).Reason != connect.CloseFinished:
		return fmt.Errorf("wsrelay: Policy.Profile: there is no profile %q", p.Profile)
	case p.Pinger != RelayPings && p.Pinger != BackendPings:
		return fmt.Errorf("wsrelay: Policy.Pinger: is required: %q or %q", RelayPings, BackendPings)
	case p.PingEvery < 0 || p.PongWait < 0 || p.Idle < 0 || p.SlowWait < 0 || p.CloseWait < 0:
		return errors.New("wsrelay: Policy: PingEvery, PongWait, Idle, SlowWait and CloseWait: must not be negative")
	case p.Pinger == RelayPings && p.PongWait <= p.PingEvery:
		return errors.New("wsrelay: Policy.PongWait: must be longer than PingEvery, which asks for the pong")
	case len(p.Heartbeat) > wsframe.MaxControl:
		return errors.New("wsrelay: Policy.Heartbeat: must have at most 125 bytes")
	case len(p.Heartbeat) > 0 && p.Pinger == BackendPings:
		return errors.New("wsrelay: Policy.Heartbeat: needs Pinger RelayPings: a backend that pings would not see it")
	case p.Burst < 1 || p.MaxRate > 1e6:
		return errors.New("wsrelay: Policy.Burst, MaxRate: must be at least 1, and at most 1e6")
	case p.Buffer < minBuffer:
		return errors.New("wsrelay: Policy.Buffer: must be at least 4 KiB")
	}
	return nil
}
