package jws

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxBytes = 16 << 10
	maxMaxBytes     = 1 << 20
)

// Config is the policy of a [Verifier]. A missing decision is an error of [NewVerifier].
type Config struct {
	// Keys finds the keys. Required.
	Keys KeySource
	// Algorithms are the ones that a token may name. Required.
	Algorithms []Algorithm
	// Types are the values of typ that a token may have (RFC 8725 section 3.11), compared as media types: without case
	// and without "application/". The value "" accepts a token that has no typ. Required; [AnyType] accepts all.
	Types []string
	// Accept judges a token whose signature and times held: its issuer, its audience and whatever is the issuer's own.
	// An error that is no *[Refusal] becomes one with reason WrongClaim. Required; [AcceptAnyClaims] accepts all.
	Accept func(*Token) error
	// MaxBytes is the longest token in bytes. 0 means 16 KiB; at most 1 MiB.
	MaxBytes int
	// MaxConcurrent bounds how many RS256, ES256 and EdDSA signatures are verified at once, so that a flood of bad ones
	// leaves the processor to others; who comes later waits in turn, as long as the context lives. 0 means 4 times GOMAXPROCS.
	MaxConcurrent int
	// Now is the clock. nil means time.Now.
	Now func() time.Time
}

// AcceptAnyClaims as Config.Accept takes tokens for any issuer and audience: whoever holds a token that one of the
// keys signed for another service comes in with it.
func AcceptAnyClaims(*Token) error { return nil }

// Verifier verifies tokens by one policy. It is safe for concurrent use.
type Verifier struct {
	cfg     Config
	types   []string
	anyType bool
	// What refusals say would pass.
	wantType, wantAlgorithm string
	slots                   chan struct{}
	headers                 headerMemory
	static                  StaticKeys // cfg.Keys if it is that
}

// NewVerifier returns a verifier, or an error that names the field of cfg that is missing or wrong.
func NewVerifier(cfg Config) (*Verifier, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.MaxConcurrent == 0 {
		cfg.MaxConcurrent = 4 * runtime.GOMAXPROCS(0)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Algorithms = slices.Clone(cfg.Algorithms)
	v := &Verifier{cfg: cfg, slots: make(chan struct{}, cfg.MaxConcurrent), anyType: slices.Contains(cfg.Types, AnyType)}
	v.static, _ = cfg.Keys.(StaticKeys)
	for _, typ := range cfg.Types {
		v.types = append(v.types, mediaType(typ))
	}
	v.wantType, v.wantAlgorithm = quoteAll(cfg.Types), quoteAll(cfg.Algorithms)
	return v, nil
}

func (cfg *Config) check() error {
	keys, static := cfg.Keys.(StaticKeys)
	switch {
	case cfg.Keys == nil || (static && len(keys) == 0):
		return errors.New("jws: Config.Keys is not set: give a KeySource, such as StaticKeys")
	case static && slices.Contains(keys, nil):
		return errors.New("jws: Config.Keys has a nil key")
	case len(cfg.Algorithms) == 0:
		return errors.New("jws: Config.Algorithms is not set: list what tokens may be signed with, such as RS256")
	case len(cfg.Types) == 0:
		return errors.New(`jws: Config.Types is not set: list the typ values of tokens, such as "at+jwt", "" for none, or AnyType`)
	case cfg.Accept == nil:
		return errors.New("jws: Config.Accept is not set: check issuer and audience there, or set AcceptAnyClaims")
	case cfg.MaxBytes < 0 || cfg.MaxBytes > maxMaxBytes:
		return fmt.Errorf("jws: Config.MaxBytes is %d: want 0 to %d", cfg.MaxBytes, maxMaxBytes)
	case cfg.MaxConcurrent < 0:
		return fmt.Errorf("jws: Config.MaxConcurrent is %d: want 0 or more", cfg.MaxConcurrent)
	}
	for _, alg := range cfg.Algorithms {
		if !alg.known() {
			return fmt.Errorf("jws: Config.Algorithms has %q: want RS256, ES256, EdDSA or HS256", alg)
		}
	}
	return nil
}

func quoteAll[S ~string](list []S) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(string(s))
	}
	return strings.Join(quoted, " or ")
}

// scratch is the room in which one token is worked on. It is used again and holds nothing that outlives the work.
type scratch struct {
	buf []byte // the signing input, then the decoded signature, payload and header
	der [80]byte
	sum [32]byte

	members []member

	mac   hash.Hash // the last HMAC that was asked for, so that it need not go back to its pool each time
	macOf *macs
}

// keep holds a buffer for the next token if it has grown; a store that changes nothing would cost a write barrier.
func (s *scratch) keep(buf []byte) {
	if cap(buf) != cap(s.buf) {
		s.buf = buf
	}
}

var scratches = sync.Pool{New: func() any { return &scratch{members: make([]member, 0, 32)} }}

// maxPooled is the largest buffer that is kept for the next token, in bytes, and maxPooledMembers the most members.
const (
	maxPooled        = 64 << 10
	maxPooledMembers = 256
)

func (s *scratch) release() {
	if cap(s.buf) > maxPooled {
		s.buf = nil
	}
	if cap(s.members) > maxPooledMembers {
		s.members = make([]member, 0, 32)
	}
	scratches.Put(s)
}

// parts are the three parts of a token as they were written.
type parts struct {
	header, payload, signature string
	// signed is header and payload with the dot between them: the signing input (RFC 7515 section 5.1).
	signed string
}

// split cuts a token at its first dot, which is at first (negative if there is none), and at the second. A third one is
// left in the signature, which then does not decode.
func split(token string, first int) (p parts, ok bool) {
	if first < 0 {
		return parts{}, false
	}
	length := strings.IndexByte(token[first+1:], '.')
	if length < 0 {
		return parts{}, false
	}
	last := first + 1 + length
	return parts{header: token[:first], payload: token[first+1 : last], signature: token[last+1:], signed: token[:last]}, true
}

// malformed refuses parts that do not decode.
func (p *parts) malformed() error {
	if strings.Contains(p.signature, ".") {
		return malformed("", wantParts)
	}
	return malformed("", wantBase64)
}

const (
	wantParts  = "three parts with dots between them (RFC 7515 section 7.1)"
	wantBase64 = "canonical base64url without padding, line breaks and stray bits (RFC 7515 section 2)"
)

// Verify returns the token, or a *[Refusal] that names the first check that failed: format, algorithm, signature, time
// (exp without leeway, nbf and iat with 5 seconds), then what Config.Accept says.
func (v *Verifier) Verify(ctx context.Context, token string) (*Token, error) {
	if len(token) > v.cfg.MaxBytes {
		return nil, malformed("", fmt.Sprintf("at most %d bytes", v.cfg.MaxBytes))
	}
	known, dot := v.headers.find(token)
	if known == nil {
		dot = strings.IndexByte(token, '.')
	}
	p, ok := split(token, dot)
	if !ok {
		return nil, malformed("", wantParts)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	t, in, err := v.read(s, &p, known)
	if err != nil {
		return nil, err
	}
	now, err := v.checkSignature(ctx, s, t, in)
	if err != nil {
		return nil, err
	}
	if known == nil {
		v.headers.remember(p.header, t.header)
	}
	if err := t.checkTime(now); err != nil {
		return nil, err
	}
	if err := v.accept(t); err != nil {
		return nil, err
	}
	return t, nil
}

// read parses a token and checks its header against the policy, unless it is a known one.
func (v *Verifier) read(s *scratch, p *parts, known *Header) (*Token, signedBytes, error) {
	in, buf, ok := s.load(p)
	if !ok {
		return nil, in, p.malformed()
	}
	h := known
	if h == nil {
		var err error
		if h, err = decodeHeader(p.header); err != nil {
			return nil, in, err
		}
	}
	claims, err := s.object(buf, len(in.signed)+len(in.signature))
	if err != nil {
		return nil, in, err
	}
	if known == nil {
		if err := v.permit(h); err != nil {
			return nil, in, err
		}
	}
	return &Token{Claims: claims, header: h}, in, nil
}

// signedBytes are what a signature is checked with, parts of a scratch's buffer.
type signedBytes struct{ signed, signature []byte }

// load decodes the signature and the payload into the scratch's one buffer, in which the payload is the last.
func (s *scratch) load(p *parts) (in signedBytes, buf []byte, ok bool) {
	buf = append(s.buf[:0], p.signed...)
	if buf, ok = decode(buf, p.signature); !ok {
		return in, nil, false
	}
	signed := len(p.signed)
	in = signedBytes{buf[:signed], buf[signed:]}
	buf, ok = decode(buf, p.payload)
	return in, buf, ok
}

func decodeHeader(encoded string) (*Header, error) {
	text, ok := decode(nil, encoded)
	if !ok {
		return nil, malformed("", wantBase64)
	}
	h, err := parseHeader(text)
	return &h, err
}

// permit checks typ and alg against the policy.
func (v *Verifier) permit(h *Header) error {
	if !v.anyType && !slices.Contains(v.types, mediaType(h.Type)) {
		return &Refusal{Check: CheckFormat, Reason: WrongType, Claim: "typ", Want: v.wantType}
	}
	if !slices.Contains(v.cfg.Algorithms, h.Algorithm) {
		return &Refusal{Check: CheckAlgorithm, Reason: AlgorithmRefused, Claim: "alg", Want: v.wantAlgorithm}
	}
	return nil
}

// accept asks the policy's own rules.
func (v *Verifier) accept(t *Token) error {
	err := v.cfg.Accept(t)
	if err == nil || ReasonOf(err) != "" {
		return err
	}
	return &Refusal{Check: CheckPolicy, Reason: WrongClaim, Want: "a token that Config.Accept takes", Verified: true, Err: err}
}
