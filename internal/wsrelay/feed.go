package wsrelay

import (
	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// headroom is what a buffer for reading has before the bytes that are read: room for the stash.
const headroom = wsframe.MaxHeader + wsframe.MaxControl

// take is given what was read from a side: n bytes at buffer[headroom:].
func (p *Pipe) take(from int, buffer []byte, n int) {
	s := &p.sides[from]
	s.bytes += uint64(n)
	begin := headroom
	if s.stash != nil {
		begin -= s.stash.n
		copy(buffer[begin:], s.stash.b[:s.stash.n])
		p.group.stashes = append(p.group.stashes, s.stash)
		s.stash = nil
	}
	p.feed(from, buffer[begin:headroom+n])
}

// feed passes on what came from a side, up to an incomplete header or control frame, which is kept.
func (p *Pipe) feed(from int, b []byte) {
	s, to := &p.sides[from], 1-from
	rules := &p.policy.rules[from]
	begin, at := 0, 0
	for at < len(b) && !s.is(mute) {
		piece, n, err := s.in.Next(b[at:], rules)
		if err != nil {
			p.send(to, b[begin:at])
			p.violated(from, err)
			return
		}
		if n == 0 {
			break
		}
		if verdict := p.judge(from, &piece); verdict != pass {
			p.send(to, b[begin:at])
			begin = at + n
			if verdict == tooMany {
				p.flooded()
			}
		}
		at += n
		if p.sides[to].is(wants) && s.boundary() {
			p.send(to, b[begin:at])
			begin = at
			p.inject(to)
		}
	}
	p.send(to, b[begin:at])
	if at < len(b) && !s.is(mute) {
		s.stash = p.group.newStash()
		s.stash.n = copy(s.stash.b[:], b[at:])
	}
}

// verdict is what becomes of a piece.
type verdict int

const (
	pass    verdict = iota
	drop            // it is ours, or too late
	tooMany         // it broke Policy.MaxRate
)

// judge looks at a piece from a side, notes what it says about the client's life, and decides about it.
func (p *Pipe) judge(from int, piece *wsframe.Piece) verdict {
	s := &p.sides[from]
	if !piece.Begins {
		if from == client {
			p.alive = p.group.now // no pong can come inside a frame
		}
		return s.unlessDeaf()
	}
	if from == client && p.policy.gap > 0 && !p.inTime() {
		return tooMany
	}
	switch piece.Header.Opcode {
	case wsframe.Close:
		return p.closeCame(from, piece)
	case wsframe.Ping:
		return p.pingCame(from, piece)
	case wsframe.Pong:
		return p.pongCame(from, piece)
	}
	return p.dataCame(from, piece)
}

func (s *side) unlessDeaf() verdict {
	if s.is(deaf) {
		return drop
	}
	return pass
}

func (p *Pipe) dataCame(from int, piece *wsframe.Piece) verdict {
	s := &p.sides[from]
	if s.is(deaf) {
		return drop
	}
	if from == client && p.heartbeatCame(piece) {
		return drop
	}
	if piece.Header.Opcode != wsframe.Continuation {
		s.messages++
	}
	if from == client {
		p.active = p.group.now
	}
	return pass
}

// inTime takes a frame out of the client's budget: it may be ahead of an even MaxRate by the burst.
func (p *Pipe) inTime() bool {
	now := p.group.now
	p.rate = max(p.rate, now) + p.policy.gap
	return p.rate-p.policy.gap-now <= p.policy.slack
}
