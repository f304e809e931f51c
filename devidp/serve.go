package devidp

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	// maxBodyBytes is the longest request read.
	maxBodyBytes = 64 << 10
	// contentType is that of the AWS JSON protocol, version 1.1.
	contentType = "application/x-amz-json-1.1"
	// target is the prefix of the X-Amz-Target header, which names the operation.
	target = "AWSCognitoIdentityProviderService."
	// allowHeaders are the request headers that AWS's SDKs send from browsers.
	allowHeaders = "Content-Type, Cache-Control, X-Amz-Target, X-Amz-User-Agent, X-Amz-Date, X-Amz-Security-Token, " +
		"X-Amz-Content-Sha256, X-Api-Key, Authorization, Amz-Sdk-Invocation-Id, Amz-Sdk-Request"
)

// ServeHTTP answers Cognito's API at POST /, the pool's documents below /POOL/.well-known/, and /devidp/codes and
// /devidp/rotate-keys. Requests that do not come from a loopback address to a loopback host are refused with 403.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !fromLoopback(r) {
		http.Error(w, "devidp: this development identity provider answers on loopback addresses only", http.StatusForbidden)
		return
	}
	documents := "/" + p.cfg.UserPoolID + "/.well-known/"
	switch {
	case strings.HasPrefix(r.URL.Path, "/devidp/"):
		p.serveDeveloper(w, r)
	case r.Method == http.MethodOptions:
		preflight(w, r)
	case r.URL.Path == documents+"jwks.json" && isRead(r):
		p.serveDocument(w, p.JWKS)
	case r.URL.Path == documents+"openid-configuration" && isRead(r):
		p.serveDocument(w, p.discovery)
	case r.URL.Path == "/" && r.Method == http.MethodPost:
		p.serveAPI(w, r)
	default:
		allowOrigins(w)
		http.NotFound(w, r)
	}
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// fromLoopback checks the peer and the host that the request names. The latter stops a web page that resolves a name of
// its own to 127.0.0.1 (DNS rebinding).
func fromLoopback(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isLoopbackHost(r.Host)
}

func isLoopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func allowOrigins(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
}

func preflight(w http.ResponseWriter, _ *http.Request) {
	allowOrigins(w)
	w.Header().Set("Access-Control-Allow-Methods", "POST, GET, HEAD, OPTIONS")
	w.Header().Set("Access-Control-Allow-Headers", allowHeaders)
	w.Header().Set("Access-Control-Max-Age", "172800")
	w.WriteHeader(http.StatusOK)
}

func (p *Provider) serveDocument(w http.ResponseWriter, document func() ([]byte, error)) {
	allowOrigins(w)
	data, err := document()
	if err != nil {
		http.Error(w, "devidp: internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(data)
}

// apiError is a refusal in Cognito's words.
type apiError struct {
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// refuse returns an apiError; code is without the ending Exception.
func refuse(code, message string) error { return &apiError{code + "Exception", message} }

func invalidParameter(message string) error { return refuse("InvalidParameter", message) }

func missing(member string) error {
	return invalidParameter("1 validation error detected: Value at '" + member + "' failed to satisfy constraint: Member must not be null")
}

func (p *Provider) serveAPI(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	if id, err := p.newUUID(); err == nil {
		w.Header().Set("x-amzn-RequestId", id)
	}
	out, err := p.call(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	data, err := json.Marshal(out)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Write(data)
}

func (p *Provider) call(w http.ResponseWriter, r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	operate := operations[name]
	if !ok || operate == nil {
		return nil, refuse("UnknownOperation", "")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return nil, refuse("Serialization", "the request body is unreadable or longer than 65536 bytes")
	}
	return operate(p, body)
}

// writeError answers with status 400 and the exception in the places where the SDKs look for it. What is no apiError is
// internal, and its text stays here.
func writeError(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	var known *apiError
	if !errors.As(err, &known) {
		status = http.StatusInternalServerError
		known = &apiError{"InternalErrorException", "Something went wrong"}
	}
	w.Header().Set("x-amzn-ErrorType", known.code+":")
	w.Header().Set("x-amzn-ErrorMessage", known.message)
	data, _ := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{known.code, known.message})
	w.WriteHeader(status)
	w.Write(data)
}

// operation is one operation of the API: from a JSON body to a value to be marshalled.
type operation func(*Provider, []byte) (any, error)

// operations are all that the provider answers.
var operations = map[string]operation{
	"SignUp":                    decoded((*Provider).signUp),
	"ConfirmSignUp":             decoded((*Provider).confirmSignUp),
	"ResendConfirmationCode":    decoded((*Provider).resendConfirmationCode),
	"InitiateAuth":              decoded((*Provider).initiateAuth),
	"RespondToAuthChallenge":    decoded((*Provider).respondToAuthChallenge),
	"GetTokensFromRefreshToken": decoded((*Provider).getTokensFromRefreshToken),
	"GetUser":                   decoded((*Provider).getUser),
	"ChangePassword":            decoded((*Provider).changePassword),
	"ForgotPassword":            decoded((*Provider).forgotPassword),
	"ConfirmForgotPassword":     decoded((*Provider).confirmForgotPassword),
	"GlobalSignOut":             decoded((*Provider).globalSignOut),
	"RevokeToken":               decoded((*Provider).revokeToken),
}

// decoded makes an operation of a method with an input and an output of its own.
func decoded[In, Out any](method func(*Provider, *In) (Out, error)) operation {
	return func(p *Provider, body []byte) (any, error) {
		in := new(In)
		if json.Unmarshal(body, in) != nil {
			return nil, refuse("Serialization", "the request body is not the operation's JSON")
		}
		return method(p, in)
	}
}

// empty is the answer of operations that return nothing.
type empty struct{}
