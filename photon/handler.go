package photon

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// Handler answers Photon's servers. It keeps no state between requests and is safe for concurrent use.
type Handler struct {
	config  Config
	names   names
	secrets [][sha256.Size]byte
}

// New makes a handler. It returns an error that names the field of config which is missing or wrong.
func New(config Config) (*Handler, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	h := &Handler{config: config, names: names{config.SecretName, config.TokenName, config.InsecureNoSecret}}
	for _, secret := range config.Secrets {
		h.secrets = append(h.secrets, sha256.Sum256([]byte(secret)))
	}
	h.config.Secrets = nil
	return h, nil
}

// PanicError is the error of a verification that panicked. Its text does not hold the value, which may hold a token.
type PanicError struct {
	// Value is what was passed to panic.
	Value any
	// Stack is the stack at the panic.
	Stack []byte
}

// Error returns a fixed text.
func (*PanicError) Error() string { return "photon: the verifier panicked" }

// ServeHTTP answers one request: always with status 200 and a JSON body below 1000 bytes.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	reply, err := h.answer(r)
	body := reply.encode()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	// Photon gets its answer before the observer runs, so that nothing the observer does can turn it into an outage.
	if _, err := w.Write(body); err == nil {
		_ = http.NewResponseController(w).Flush()
	}
	result := Result{Code: reply.ResultCode, Message: reply.Message, UserID: reply.UserID, Err: err, Took: time.Since(start)}
	if reply.ExpireAt != 0 {
		result.ExpiresAt = time.Unix(reply.ExpireAt, 0).UTC()
	}
	h.config.OnResult(r.Context(), result)
}

// answer decides about one request.
func (h *Handler) answer(r *http.Request) (answer, error) {
	params, trouble := h.read(r)
	switch {
	case trouble != "":
		return answer{ResultCode: Invalid, Message: string(trouble)}, nil
	case !h.config.InsecureNoSecret && params.secret == nil:
		return answer{ResultCode: Invalid, Message: string(secretMissing)}, nil
	case !h.config.InsecureNoSecret && !h.isSecret(*params.secret):
		return answer{ResultCode: Failed, Message: secretWrong}, nil
	case params.token == nil || *params.token == "":
		return answer{ResultCode: Invalid, Message: string(tokenMissing)}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
	defer cancel()
	who, err := h.verify(ctx, *params.token)
	if err != nil {
		return answer{ResultCode: Failed, Message: explain(err)}, err
	}
	return who.answer(h.config), nil
}

// read takes the parameters from a request.
func (h *Handler) read(r *http.Request) (parameters, problem) {
	var body []byte
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, h.config.MaxBytes+1))
		if err != nil {
			return parameters{}, bodyUnreadable
		}
		if int64(len(body)) > h.config.MaxBytes {
			return parameters{}, bodyTooLong
		}
	default:
		return parameters{}, badMethod
	}
	return h.names.parse(r.URL.RawQuery, r.Header.Get("Content-Type"), body)
}

// isSecret compares with every accepted secret, in a time that does not depend on which one fits or how well.
func (h *Handler) isSecret(value string) bool {
	digest := sha256.Sum256([]byte(value))
	fits := 0
	for i := range h.secrets {
		fits |= subtle.ConstantTimeCompare(digest[:], h.secrets[i][:])
	}
	return fits == 1
}

// player is what a verified token says, whichever kind it is.
type player struct {
	userID, username string
	expiry           time.Time
}

func (p player) answer(c Config) answer {
	switch {
	case !usableUserID(p.userID):
		return answer{ResultCode: Failed, Message: noUserID}
	case p.expiry.Unix() <= 0:
		return answer{ResultCode: Failed, Message: noExpiry}
	}
	a := answer{ResultCode: OK, UserID: p.userID, ExpireAt: p.expiry.Unix()}
	if !c.NoNickname {
		a.Nickname = nickname(p.username)
	}
	return a
}

// verify finds out whose token it is. A panic of a verifier is an error: net/http would drop the connection, which
// Photon takes for an outage.
func (h *Handler) verify(ctx context.Context, token string) (who player, err error) {
	defer func() {
		if value := recover(); value != nil {
			who, err = player{}, &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	if h.config.Sessions == nil {
		return h.identity(ctx, token)
	}
	who, err = h.session(ctx, token)
	if err == nil || h.config.Identities == nil || !mayBeIdentity(err) {
		return who, err
	}
	who, other := h.identity(ctx, token)
	if other != nil && errors.Is(err, jws.Unavailable) {
		return who, err // it may be a session's token after all
	}
	return who, other
}

// mayBeIdentity says whether a token that was refused as a session's can still be an identity token. It cannot if the
// signature was a session's.
func mayBeIdentity(err error) bool {
	var refusal *jws.Refusal
	return errors.As(err, &refusal) && !refusal.Verified
}

var errNobody = errors.New("photon: the verifier returned neither a player nor an error")

func (h *Handler) session(ctx context.Context, token string) (player, error) {
	s, err := h.config.Sessions.Verify(ctx, token)
	switch {
	case err != nil:
		return player{}, err
	case s == nil:
		return player{}, errNobody
	}
	id := map[UserIDForm]string{PlayerID: s.PlayerID, BackendUserID: s.UserID, Subject: s.Player.Subject}[h.config.UserID]
	return player{userID: id, username: s.Username, expiry: s.Expiry}, nil
}

func (h *Handler) identity(ctx context.Context, token string) (player, error) {
	id, err := h.config.Identities.Verify(ctx, token)
	switch {
	case err != nil:
		return player{}, err
	case id == nil:
		return player{}, errNobody
	}
	if h.config.Revocations != nil {
		if err := h.config.Revocations.CheckIdentity(id); err != nil {
			return player{}, err
		}
	}
	userID := id.Player.Subject
	if h.config.UserID == PlayerID && userID != "" {
		userID = id.Player.ID(h.config.SingleRealm)
	}
	return player{userID: userID, username: id.Username, expiry: id.Expiry}, nil
}
