package tokenapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

// Permission is one thing that a caller may do.
type Permission string

// The permissions.
const (
	// MayIntrospect: /oauth2/introspect.
	MayIntrospect Permission = "introspect"
	// MayRedeem: /v1/ticket/redeem.
	MayRedeem Permission = "redeem"
	// MayRevoke: /v1/admin/revoke and /v1/admin/cutoff, and /oauth2/revoke under the caller's own name.
	MayRevoke Permission = "revoke"
	// MayBan: /v1/admin/ban and /v1/admin/unban.
	MayBan Permission = "ban"
	// MayFollow: /v1/events.
	MayFollow Permission = "follow"
	// MaySockets: /v1/sockets and /v1/sockets/kick.
	MaySockets Permission = "sockets"
	// MayAlias: /v1/admin/alias. Whoever has it can say that a backend's user is another player, and so keep a ban from it.
	MayAlias Permission = "alias"
)

var permissions = []Permission{MayIntrospect, MayRedeem, MayRevoke, MayBan, MayFollow, MaySockets, MayAlias}

// minSecretBytes is the shortest secret of a caller: 128 bits, if it is random.
const minSecretBytes = 16

// Caller is a service or an operator that uses the API. It authenticates with HTTP Basic: id and secret, each
// form-encoded (client_secret_basic, RFC 6749 section 2.3.1).
type Caller struct {
	// ID is its name, in the audit trail too. Required.
	ID string
	// Secrets are those that it may show, several during rotation. Random, 16 bytes or more.
	Secrets []string
	// SecretHashes are SHA-256 digests of such secrets in hexadecimal, for those who keep no secrets in their
	// configuration. No salt is needed, because the secrets are random.
	SecretHashes []string
	// May is what it may do. Required.
	May []Permission
}

// String names the caller and hides its secrets, also where a whole Config is printed.
func (c Caller) String() string { return fmt.Sprintf("tokenapi.Caller(%q %q)", c.ID, c.May) }

// GoString is String.
func (c Caller) GoString() string { return c.String() }

// callers finds a caller by its id.
type callers map[string]*knownCaller

type knownCaller struct {
	id     string
	hashes [][sha256.Size]byte
	may    []Permission
}

func (a *API) setCallers() error {
	a.callers = make(callers, len(a.config.Callers))
	for i, c := range a.config.Callers {
		known, err := c.known()
		if err != nil {
			return fmt.Errorf("tokenapi: Callers[%d]: %v", i, err)
		}
		if a.callers[c.ID] != nil {
			return fmt.Errorf("tokenapi: Callers[%d]: ID %q is there twice", i, c.ID)
		}
		a.callers[c.ID] = known
	}
	a.config.Callers = nil // their secrets are not needed any more
	return nil
}

func (c Caller) known() (*knownCaller, error) {
	switch {
	case c.ID == "":
		return nil, errors.New("set ID: the name of the caller")
	case len(c.Secrets)+len(c.SecretHashes) == 0:
		return nil, errors.New("set Secrets or SecretHashes")
	case len(c.May) == 0:
		return nil, fmt.Errorf("set May: some of %q", permissions)
	}
	known := &knownCaller{id: c.ID, may: c.May}
	for _, p := range c.May {
		if !slices.Contains(permissions, p) {
			return nil, fmt.Errorf("%q is no permission: May takes %q", p, permissions)
		}
	}
	for i, secret := range c.Secrets {
		if len(secret) < minSecretBytes {
			return nil, fmt.Errorf("the secret Secrets[%d] is shorter than %d bytes: make a random one", i, minSecretBytes)
		}
		known.hashes = append(known.hashes, sha256.Sum256([]byte(secret)))
	}
	return known, known.addHashes(c.SecretHashes)
}

func (k *knownCaller) addHashes(texts []string) error {
	for i, text := range texts {
		hash, err := hex.DecodeString(text)
		if err != nil || len(hash) != sha256.Size {
			return fmt.Errorf("the hash SecretHashes[%d] is not a SHA-256 in hexadecimal", i)
		}
		k.hashes = append(k.hashes, [sha256.Size]byte(hash))
	}
	return nil
}

// stranger has no secret: comparing with its one hash takes as long as with a caller's.
var stranger = &knownCaller{hashes: make([][sha256.Size]byte, 1)}

// find returns the caller whom the credentials belong to, nil if none. It compares hashes, all of them, so the time says
// nothing of the secret.
func (c callers) find(id, secret string) *knownCaller {
	known, ok := c[id]
	if !ok {
		known = stranger
	}
	shown := sha256.Sum256([]byte(secret))
	equal := 0
	for i := range known.hashes {
		equal |= subtle.ConstantTimeCompare(shown[:], known.hashes[i][:])
	}
	if equal == 0 || !ok {
		return nil
	}
	return known
}

// The refusals of callers. Their texts are the operator's, not the client's.
var (
	errNoCallers = &jws.Refusal{Check: jws.CheckPolicy, Reason: connect.InsufficientScope, Want: "a caller with this permission in the configuration"}
	errNoCaller  = &jws.Refusal{Check: jws.CheckPolicy, Reason: connect.MissingToken, Want: "a caller's id and secret as HTTP Basic"}
	errBadCaller = &jws.Refusal{Check: jws.CheckPolicy, Reason: BadCaller, Want: "the id and secret of a configured caller"}
	errMayNot    = &jws.Refusal{Check: jws.CheckPolicy, Reason: connect.InsufficientScope, Want: "a caller that may do this"}
)

// BadCaller is the reason of a request whose HTTP Basic credentials are no caller's.
const BadCaller jws.Reason = "bad_caller"

// authenticate returns the caller's id if it may do this, or one of the refusals above.
func (a *API) authenticate(r *http.Request, may Permission) (string, error) {
	if !a.callers.any(may) {
		return "", errNoCallers
	}
	id, secret, ok := basic(r)
	if !ok {
		return "", errNoCaller
	}
	known := a.callers.identify(id, secret)
	switch {
	case known == nil:
		return "", errBadCaller
	case !slices.Contains(known.may, may):
		return known.id, errMayNot
	}
	return known.id, nil
}

// any says whether some caller may do this.
func (c callers) any(may Permission) bool {
	for _, known := range c {
		if slices.Contains(known.may, may) {
			return true
		}
	}
	return false
}

// basic reads the one HTTP Basic header of a request.
func basic(r *http.Request) (id, secret string, ok bool) {
	if len(r.Header["Authorization"]) != 1 {
		return "", "", false
	}
	return r.BasicAuth()
}

// identify finds the caller by its credentials: form-encoded as the standard says, or as they are, which most clients
// send.
func (c callers) identify(id, secret string) *knownCaller {
	if known := c.find(id, secret); known != nil {
		return known
	}
	plainID, err := url.QueryUnescape(id)
	plainSecret, err2 := url.QueryUnescape(secret)
	if err != nil || err2 != nil {
		return nil
	}
	return c.find(plainID, plainSecret)
}

// withCaller lets serve answer if the request is from a caller who may, and answers 401 or 403 otherwise.
func (a *API) withCaller(may Permission, serve func(http.ResponseWriter, *http.Request, *Decision)) func(http.ResponseWriter, *http.Request, *Decision) {
	return func(w http.ResponseWriter, r *http.Request, d *Decision) {
		var err error
		if d.Caller, err = a.authenticate(r, may); err != nil {
			a.refuseCaller(w, d, err)
			return
		}
		serve(w, r, d)
	}
}

func (a *API) refuseCaller(w http.ResponseWriter, d *Decision, err error) {
	d.Err = err
	switch err {
	case errNoCallers:
		writeCallerRefusal(w, d, http.StatusForbidden, "No caller is configured for this endpoint.")
	case errMayNot:
		writeCallerRefusal(w, d, http.StatusForbidden, "This caller may not use this endpoint.")
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="sallyport", charset="UTF-8"`)
		writeCallerRefusal(w, d, http.StatusUnauthorized, "The id and secret of a caller are required, as HTTP Basic.")
	}
}

// writeCallerRefusal answers in the form of the endpoint: RFC 6749 section 5.2 (as RFC 7662 section 2.3 wants it) or RFC 9457.
func writeCallerRefusal(w http.ResponseWriter, d *Decision, status int, detail string) {
	reason := jws.ReasonOf(d.Err)
	if !strings.HasPrefix(d.Endpoint, "/oauth2/") {
		writeProblemBody(w, d, connect.Problem{
			Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Check: jws.CheckPolicy, Reason: reason,
		})
		return
	}
	code := invalidClient
	if status == http.StatusForbidden {
		code = unauthorizedClient
	}
	writeJSON(w, d, status, oauthError{Code: code, Description: detail, Check: jws.CheckPolicy, Reason: reason})
}
