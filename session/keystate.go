package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// KeyStage is where a key is on its way through a [Keyring].
type KeyStage string

// The stages of a key, in their order.
const (
	KeyPublished KeyStage = "published" // in the JWK Set, signs nothing yet
	KeySigning   KeyStage = "signing"   // signs every new token
	KeyRetired   KeyStage = "retired"   // in the JWK Set until its last token has expired
)

// KeyState describes one key of a [Keyring] for operators. It holds nothing secret. Times are UTC.
type KeyState struct {
	KeyID     string        `json:"kid"`
	Algorithm jws.Algorithm `json:"alg"`
	State     KeyStage      `json:"state"`
	Published time.Time     `json:"published"`
	Signs     time.Time     `json:"signs"`
	Retires   time.Time     `json:"retires,omitzero"` // zero while no key follows
	Gone      time.Time     `json:"gone,omitzero"`    // when the key leaves the JWK Set; zero while no key follows
}

// State lists the keys that are in the JWK Set, in the order in which they sign.
func (r *Keyring) State() []KeyState {
	now := r.now()
	var states []KeyState
	for _, k := range *r.ring.Load() {
		if k.isGone(now) {
			continue
		}
		states = append(states, KeyState{
			KeyID:     k.Signer.Key().ID(),
			Algorithm: k.Signer.Key().Algorithm(),
			State:     k.stage(now),
			Published: k.Published,
			Signs:     k.Signs,
			Retires:   k.retires,
			Gone:      k.gone,
		})
	}
	return states
}

func (k *ringKey) stage(now time.Time) KeyStage {
	switch {
	case now.Before(k.Signs):
		return KeyPublished
	case k.retires.IsZero() || now.Before(k.retires):
		return KeySigning
	}
	return KeyRetired
}

// maxKeyFile is the most bytes that a key file may have.
const maxKeyFile = 1 << 20

// keyFile is the form of a key file. Only encoding uses it: [ParseKeyFile] is stricter than encoding/json.
type keyFile struct {
	Keys []keyFileEntry `json:"keys"`
}

type keyFileEntry struct {
	JWK       json.RawMessage `json:"jwk"`
	Published time.Time       `json:"published"`
	Signs     time.Time       `json:"signs"`
	Retired   time.Time       `json:"retired,omitzero"`
}

// KeyFile returns the ring as a key file, to be stored readable by its owner alone: it holds PRIVATE keys. Keys whose last
// token has expired are left out. A Keyring has no MarshalJSON, so that a stray dump of a configuration shows no key.
//
//	{"keys": [{
//	  "jwk":       {"kty": "OKP", "crv": "Ed25519", "kid": "2026-11", "alg": "EdDSA", "x": "…", "d": "…"},
//	  "published": "2026-11-01T11:00:00Z",
//	  "signs":     "2026-11-01T12:00:00Z"
//	}]}
//
// "jwk" is a private JWK (RFC 7517); times are RFC 3339 in UTC; "retired" may be there too, see [KeyEntry].
func (r *Keyring) KeyFile() ([]byte, error) {
	file := keyFile{Keys: []keyFileEntry{}}
	for _, e := range r.entries(r.now()) {
		jwk, err := e.Signer.MarshalJWK()
		if err != nil {
			return nil, fmt.Errorf("session: key %q cannot be written to a key file: %v", e.Signer.Key().ID(), err)
		}
		file.Keys = append(file.Keys, keyFileEntry{jwk, e.Published, e.Signs, e.Retired})
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("session: key file: %v", err)
	}
	return append(data, '\n'), nil
}

// ParseKeyFile reads the form that [Keyring.KeyFile] writes, of at most 1 MiB. It is strict: members that it does not
// know, duplicate members, public keys and times with another spelling are errors. The error names the member and never
// shows its value. Whether the file's permissions keep others out is for the caller to check.
func ParseKeyFile(data []byte) ([]KeyEntry, error) {
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("session: key file: larger than %d bytes", maxKeyFile)
	}
	file, err := jws.ParseObject(bytes.TrimSpace(data))
	if err != nil {
		return nil, errors.New("session: key file: not one strict JSON object")
	}
	if err := onlyMembers(file, "keys"); err != nil {
		return nil, fmt.Errorf("session: key file: %v", err)
	}
	objects, ok := file.Objects("keys")
	if !ok {
		return nil, errors.New(`session: key file: "keys" must be an array of objects`)
	}
	entries := make([]KeyEntry, 0, len(objects))
	for n, o := range objects {
		e, err := parseKeyEntry(o)
		if err != nil {
			return nil, fmt.Errorf("session: key file: keys[%d]: %v", n, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseKeyEntry(o jws.Object) (e KeyEntry, err error) {
	if err := onlyMembers(o, "jwk", "published", "signs", "retired"); err != nil {
		return e, err
	}
	if _, ok := o.Object("jwk"); !ok {
		return e, errors.New(`"jwk" must be a private JWK`)
	}
	if e.Signer, err = jws.ParsePrivateJWK(o.Raw("jwk")); err != nil {
		return e, fmt.Errorf(`"jwk": %v`, err)
	}
	if e.Published, err = timeMember(o, "published"); err != nil {
		return e, err
	}
	if e.Signs, err = timeMember(o, "signs"); err != nil {
		return e, err
	}
	if o.Has("retired") {
		if e.Retired, err = timeMember(o, "retired"); err != nil {
			return e, err
		}
	}
	return e, e.check()
}

// timeMember reads an RFC 3339 time in UTC. It must be spelt as Go writes it: time.Parse alone takes more than the RFC.
func timeMember(o jws.Object, name string) (time.Time, error) {
	s, _ := o.String(name)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Format(time.RFC3339Nano) != s {
		return time.Time{}, fmt.Errorf("%q must be an RFC 3339 time in UTC, like 2026-11-01T12:00:00Z", name)
	}
	return t.UTC(), nil
}

// onlyMembers refuses members that the form does not have. The names it shows are its own, not the file's: a key that
// slipped into the wrong place must not be printed.
func onlyMembers(o jws.Object, known ...string) error {
	n := 0
	for _, name := range known {
		if o.Has(name) {
			n++
		}
	}
	if n != o.Len() {
		return fmt.Errorf("a member is unknown; the known ones are %q", known)
	}
	return nil
}
