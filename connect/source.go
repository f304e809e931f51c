package connect

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/session"
)

// Source is a place where a request may carry its token. The zero value is refused by New.
type Source struct {
	find func(*http.Request) (string, error)
	// strip returns a request without the credential, for the handler.
	strip func(*http.Request) *http.Request
	// redeem turns the credential into a session and its token; nil for tokens, which the guard's verifiers judge.
	redeem  func(r *http.Request, ticket string) (*session.Session, string, error)
	vary    []string
	cookie  bool
	noStore bool
	err     error
}

// Bearer finds the token in "Authorization: Bearer …" (RFC 6750 section 2.1). Another scheme is left alone; a second
// Authorization header and an empty token are refused.
func Bearer() Source {
	return Source{vary: []string{"Authorization"}, find: func(r *http.Request) (string, error) {
		return bearer(r.Header["Authorization"])
	}}
}

// RawBearer is Bearer that also takes "Authorization: …" with a bare compact JWS and no scheme, as Clerk's
// middlewares do.
func RawBearer() Source {
	return Source{vary: []string{"Authorization"}, find: func(r *http.Request) (string, error) {
		values := r.Header["Authorization"]
		if len(values) == 1 && strings.HasPrefix(values[0], "eyJ") && !strings.Contains(values[0], " ") {
			return values[0], nil
		}
		return bearer(values)
	}}
}

func bearer(values []string) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", errDuplicateHeader
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	token = strings.Trim(token, " ")
	if token == "" || strings.IndexByte(token, ' ') >= 0 {
		return "", errMalformedHeader
	}
	return token, nil
}

// Query finds the token in the named query parameter, for clients that can set no header (browser WebSockets). Such a
// token ends up in access logs: prefer Ticket. The answer is marked Cache-Control: no-store (RFC 6750 section 2.3), and
// the parameter stays in the request that the handler sees.
func Query(name string) Source {
	s := Source{noStore: true, find: func(r *http.Request) (string, error) { return queryValue(r, name) }}
	if name == "" {
		s.err = errors.New("Query needs the parameter's name, for example access_token")
	}
	return s
}

func queryValue(r *http.Request, name string) (string, error) {
	if r.URL.RawQuery == "" {
		return "", nil
	}
	values := r.URL.Query()[name]
	if len(values) > 1 {
		return "", errDuplicateParameter
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// SubprotocolPrefix marks the WebSocket subprotocol that carries a token: the prefix is followed by the token in
// unpadded base64url. Kubernetes defined it.
const SubprotocolPrefix = "base64url.bearer.authorization.k8s.io."

// Subprotocol finds the token in a Sec-WebSocket-Protocol offer that begins with SubprotocolPrefix. The client must
// offer a second, real subprotocol for the server to select, or browsers fail the handshake; an offer without one is
// refused. The handler sees the other offers only, so that it can neither log nor select the token.
func Subprotocol() Source {
	return Source{
		vary: []string{"Sec-WebSocket-Protocol"},
		find: func(r *http.Request) (string, error) { return subprotocolToken(r.Header["Sec-Websocket-Protocol"]) },
		strip: func(r *http.Request) *http.Request {
			_, others := splitOffers(r.Header["Sec-Websocket-Protocol"])
			r.Header = r.Header.Clone()
			r.Header.Set("Sec-WebSocket-Protocol", strings.Join(others, ", "))
			return r
		},
	}
}

func subprotocolToken(headers []string) (string, error) {
	tokens, others := splitOffers(headers)
	if len(tokens) == 0 {
		return "", nil
	}
	if len(tokens) > 1 {
		return "", errTwoTokens
	}
	if len(others) == 0 {
		return "", errLoneSubprotocol
	}
	token, err := base64.RawURLEncoding.Strict().DecodeString(tokens[0])
	if err != nil || len(token) == 0 {
		return "", errMalformedSubprotocol
	}
	return string(token), nil
}

func splitOffers(headers []string) (tokens, others []string) {
	for _, header := range headers {
		for offer := range strings.SplitSeq(header, ",") {
			offer = strings.Trim(offer, " \t")
			if token, ok := strings.CutPrefix(offer, SubprotocolPrefix); ok {
				tokens = append(tokens, token)
			} else if offer != "" {
				others = append(others, offer)
			}
		}
	}
	return tokens, others
}

// Redeemer redeems a one-time ticket. *session.TicketOffice is one.
type Redeemer interface {
	// Redeem returns the session that the ticket was issued for and its token, or a *jws.Refusal.
	Redeem(ctx context.Context, ticket string, binding session.Binding) (*session.Session, string, error)
}

// TicketConfig says where a ticket is found and who redeems it.
type TicketConfig struct {
	// Name is the query parameter. Required.
	Name string
	// Redeemer takes the ticket. Required.
	Redeemer Redeemer
	// Audience is who we are; a ticket that was issued for another audience is refused.
	Audience string
	// Address returns the client's address, for tickets that were bound to one. Default: the host of
	// http.Request.RemoteAddr. Behind a proxy that you trust, take the address that the proxy gives.
	Address func(*http.Request) string
}

// Ticket finds a one-time ticket in a query parameter and redeems it: the right way in for browsers' WebSockets. It
// works once, so what is left in an access log is worthless.
func Ticket(config TicketConfig) Source {
	s := Source{noStore: true}
	if config.Name == "" || config.Redeemer == nil {
		s.err = errors.New("Ticket needs Name (the query parameter) and Redeemer (a *session.TicketOffice)")
		return s
	}
	if config.Address == nil {
		config.Address = remoteHost
	}
	s.find = func(r *http.Request) (string, error) { return queryValue(r, config.Name) }
	s.redeem = func(r *http.Request, ticket string) (*session.Session, string, error) {
		return config.Redeemer.Redeem(r.Context(), ticket, session.Binding{
			Origin: r.Header.Get("Origin"), Address: config.Address(r), Audience: config.Audience,
		})
	}
	return s
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
