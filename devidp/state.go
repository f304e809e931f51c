package devidp

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/srp"
)

// secretBytes is the length of the secret of simulated users and sealed challenges.
const secretBytes = 32

// maxTokensPerSession bounds the refresh tokens that a session remembers, so that their reuse is noticed.
const maxTokensPerSession = 16

// state is everything that the File keeps, besides the keys.
type state struct {
	secret   []byte
	users    map[string]*user    // by sub
	sessions map[string]*session // by origin_jti
}

func newState(random io.Reader) (state, error) {
	s := state{
		secret:   make([]byte, secretBytes),
		users:    make(map[string]*user),
		sessions: make(map[string]*session),
	}
	if _, err := io.ReadFull(random, s.secret); err != nil {
		return s, fmt.Errorf("devidp: reading randomness: %w", err)
	}
	return s, nil
}

// user is one user. There is no password in it.
type user struct {
	Username      string            `json:"username"`
	Sub           string            `json:"sub"`
	Confirmed     bool              `json:"confirmed"`
	ResetRequired bool              `json:"reset_required,omitempty"`
	Attributes    map[string]string `json:"attributes,omitempty"`
	Groups        []string          `json:"groups,omitempty"`
	// ByName and BySub are the verifiers for sign-in by user name and by alias: SRP hashes the user id, and an alias
	// must not give the user name away.
	ByName srp.Verifier `json:"by_name"`
	BySub  srp.Verifier `json:"by_sub"`
}

func (u *user) emailVerified() bool { return u.Attributes["email_verified"] == "true" }

// session is one sign-in: what origin_jti stands for.
type session struct {
	ID       string         `json:"origin_jti"`
	EventID  string         `json:"event_id"`
	Sub      string         `json:"sub"`
	ClientID string         `json:"client_id"`
	AuthTime time.Time      `json:"auth_time"`
	Expires  time.Time      `json:"expires"`
	Revoked  bool           `json:"revoked,omitempty"`
	Refresh  []refreshToken `json:"refresh"`
}

// refreshToken is a refresh token by its digest.
type refreshToken struct {
	Digest string `json:"digest"` // base64 of SHA-256
	// Until is when a replaced token stops working; zero for one that was not replaced.
	Until time.Time `json:"until,omitzero"`
}

// byName finds a user by what they type. There are few users: a scan costs less than an index that can go wrong. It does
// not stop where it finds one, so that it takes as long for a name that does not exist.
func (s *state) byName(mode SignIn, name string) *user {
	alias := mode != ByUsername && isEmail(name)
	email := foldEmail(name)
	var found *user
	for _, u := range s.users {
		byEmail := foldEmail(u.Attributes["email"]) == email && (mode == ByEmail || u.emailVerified())
		if alias && byEmail || !alias && u.Username == name {
			found = u
		}
	}
	return found
}

// emailOwner finds the user for whom an e-mail address is verified.
func (s *state) emailOwner(email string) *user {
	if email == "" {
		return nil
	}
	return s.byName(ByUsernameOrEmail, email)
}

// byRefresh finds the session of a refresh token and the token's place in it.
func (s *state) byRefresh(digest string) (*session, int) {
	for _, one := range s.sessions {
		for i := range one.Refresh {
			if one.Refresh[i].Digest == digest {
				return one, i
			}
		}
	}
	return nil, 0
}

// addSession makes room and adds a session.
func (s *state) addSession(added *session, limit int, now time.Time) {
	for id, one := range s.sessions {
		if !one.Expires.After(now) {
			delete(s.sessions, id)
		}
	}
	for len(s.sessions) >= limit {
		delete(s.sessions, s.oldest().ID)
	}
	s.sessions[added.ID] = added
}

// oldest returns the session that is missed least: a revoked one, else the one with the oldest sign-in.
func (s *state) oldest() *session {
	var found *session
	for _, one := range s.sessions {
		if found == nil || one.Revoked && !found.Revoked || one.Revoked == found.Revoked && one.AuthTime.Before(found.AuthTime) {
			found = one
		}
	}
	return found
}

func (s *session) addRefresh(digest string) {
	s.Refresh = append(s.Refresh, refreshToken{Digest: digest})
	if extra := len(s.Refresh) - maxTokensPerSession; extra > 0 {
		s.Refresh = s.Refresh[extra:]
	}
}

// isEmail reports whether a name has the form of an e-mail address.
func isEmail(name string) bool {
	local, domain, found := strings.Cut(name, "@")
	return found && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(domain, "@ ") && len(name) <= 254
}

func foldEmail(email string) string { return strings.ToLower(email) }
