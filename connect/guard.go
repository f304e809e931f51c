package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

// DefaultRealm is the realm of a challenge where Config.Realm is empty.
const DefaultRealm = "sallyport"

// NoIssuer is the Config.SessionIssuer of session tokens that have no iss claim, such as Nakama's.
const NoIssuer = "-"

// SessionVerifier verifies a game session token. *session.Verifier is one.
type SessionVerifier interface {
	// Verify returns the session that the token stands for, or a *jws.Refusal.
	Verify(ctx context.Context, token string) (*session.Session, error)
}

// IdentityChecker says whether a verified identity is revoked or banned. *session.Ledger is one.
type IdentityChecker interface {
	// CheckIdentity returns nil or a *jws.Refusal.
	CheckIdentity(id *identity.Identity) error
}

// Config says who is let in and where their token is looked for. At least one of Sessions and Identities is required.
type Config struct {
	// Sessions verifies game session tokens.
	Sessions SessionVerifier
	// Identities verifies identity tokens (Cognito, Clerk, …), for services that have no sessions of their own or
	// take both.
	Identities identity.Verifier
	// Revocations, if set, is asked about each verified identity. Without it an identity token lets its player in until
	// it expires, though they were banned or signed out: session tokens know that by themselves, identity tokens do not.
	Revocations IdentityChecker
	// SessionIssuer is the iss of the session tokens, or NoIssuer. It is required where both Sessions and Identities
	// are set, and unused otherwise: a token with exactly this iss goes to Sessions, any other to Identities. The
	// unverified iss only selects the verifier.
	SessionIssuer string
	// Sources are the places where a token is looked for. Default: Bearer.
	Sources []Source
	// Realm is the realm of the WWW-Authenticate challenge (RFC 9110 section 11.5). Default: DefaultRealm.
	Realm string
	// OnRefusal, if set, is told of each refusal, for logs and metrics. The error is a *jws.Refusal in all but
	// unforeseen cases, and holds no token.
	OnRefusal func(r *http.Request, err error)
	// Refuse writes the answer to a refused request. Default: the RFC 6750 and RFC 9457 answer of WriteRefusal.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)
}

// Guard lets requests through whose token is good. It is safe for concurrent use.
type Guard struct {
	config   Config
	explicit []Source
	ambient  []Source
	vary     []string
}

// New checks the configuration and returns its guard. The error names the field to set.
func New(config Config) (*Guard, error) {
	if config.Sessions == nil && config.Identities == nil {
		return nil, errors.New("connect: Sessions or Identities is required: set the verifier of the tokens you accept")
	}
	if config.Sessions != nil && config.Identities != nil && config.SessionIssuer == "" {
		return nil, errors.New("connect: SessionIssuer is required beside both Sessions and Identities: set the iss of session tokens, or NoIssuer")
	}
	if config.Realm == "" {
		config.Realm = DefaultRealm
	}
	if !isQuotable(config.Realm) {
		return nil, errors.New("connect: Realm must be printable ASCII without quote and backslash")
	}
	if len(config.Sources) == 0 {
		config.Sources = []Source{Bearer()}
	}
	g := &Guard{config: config}
	return g, g.addSources()
}

func (g *Guard) addSources() error {
	for i, source := range g.config.Sources {
		switch {
		case source.err != nil:
			return fmt.Errorf("connect: Sources[%d]: %v", i, source.err)
		case source.find == nil:
			return fmt.Errorf("connect: Sources[%d] is empty: use Bearer, Cookie, Query, Subprotocol or Ticket", i)
		case source.cookie:
			g.ambient = append(g.ambient, source)
		default:
			g.explicit = append(g.explicit, source)
		}
		for _, name := range source.vary {
			if !slices.Contains(g.vary, name) {
				g.vary = append(g.vary, name)
			}
		}
	}
	g.vary = slices.Clip(g.vary)
	return nil
}

// Require returns middleware that lets a request through if its token is verified and every rule holds. It answers
// 400, 401, 403 or 503 otherwise, as the package comment says.
func (g *Guard) Require(rules ...Rule) func(http.Handler) http.Handler {
	return g.middleware(false, slices.Clone(rules))
}

// Allow returns middleware that lets a request without a token through as nobody: the context accessors then return
// false. A request with a token that is not good is refused as Require would, so that a client learns that it is
// signed out, and so that a store that is away does not turn players into guests.
func (g *Guard) Allow() func(http.Handler) http.Handler {
	return g.middleware(true, nil)
}

func (g *Guard) middleware(optional bool, rules []Rule) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.setVary(w.Header())
			found, principal, err := g.authenticate(r, rules)
			switch {
			case optional && found.source == nil && err == errNoToken:
				next.ServeHTTP(w, r)
			case err != nil:
				g.refuse(w, r, err)
			default:
				if found.noStore {
					w.Header()["Cache-Control"] = noStore
				}
				r = r.WithContext(&principalContext{r.Context(), principal})
				if found.strip != nil {
					r = found.strip(r)
				}
				next.ServeHTTP(w, r)
			}
		})
	}
}

// Authenticate finds the request's token, verifies it and applies the rules, for those who cannot use the middleware.
// The error is a *jws.Refusal; StatusOf and WriteRefusal turn it into an answer.
func (g *Guard) Authenticate(r *http.Request, rules ...Rule) (Principal, error) {
	_, principal, err := g.authenticate(r, rules)
	return principal, err
}

// AuthenticateToken is Authenticate for a relay, which passes the token on: it returns the token besides, for a ticket the
// session token that it stood for. It is "" where the request was refused.
func (g *Guard) AuthenticateToken(r *http.Request, rules ...Rule) (Principal, string, error) {
	found, principal, err := g.authenticate(r, rules)
	if err != nil {
		return Principal{}, "", err
	}
	return principal, found.text, nil
}

// Token returns the request's token as it was sent, unverified, for those who pass it on: a ticket office, a relay.
// The error is a *jws.Refusal: MissingToken, InvalidRequest or WrongOrigin. A ticket is no token and is not returned.
func (g *Guard) Token(r *http.Request) (string, error) {
	found, err := g.find(r)
	if err != nil {
		return "", err
	}
	if found.source.redeem != nil {
		return "", errNoToken
	}
	return found.text, nil
}

func (g *Guard) authenticate(r *http.Request, rules []Rule) (credential, Principal, error) {
	found, err := g.find(r)
	if err != nil {
		return credential{}, Principal{}, err
	}
	principal, err := g.verify(r, &found)
	if err == nil && principal == (Principal{}) {
		err = errNobody
	}
	if err != nil {
		return found, Principal{}, err
	}
	for i := range rules {
		if !rules[i].holds(principal) {
			return found, Principal{}, rules[i].refusal()
		}
	}
	return found, principal, nil
}

// credential is what the sources found: source is the first that did. The same text may be in several places, and what
// any of these asks for is done.
type credential struct {
	text    string
	source  *Source
	strip   func(*http.Request) *http.Request
	noStore bool
}

func (g *Guard) find(r *http.Request) (credential, error) {
	var found credential
	for i := range g.explicit {
		source := &g.explicit[i]
		text, err := source.find(r)
		if err != nil {
			return credential{}, err
		}
		if text == "" {
			continue
		}
		if found.source != nil && found.text != text {
			return credential{}, errTwoTokens
		}
		if found.source == nil {
			found.text, found.source = text, source
		}
		if source.strip != nil {
			found.strip = source.strip
		}
		found.noStore = found.noStore || source.noStore
	}
	if found.source != nil {
		return found, nil
	}
	return g.findCookie(r)
}

func (g *Guard) findCookie(r *http.Request) (credential, error) {
	for i := range g.ambient {
		text, err := g.ambient[i].find(r)
		if err != nil {
			return credential{}, err
		}
		if text != "" {
			return credential{text: text, source: &g.ambient[i]}, nil
		}
	}
	return credential{}, errNoToken
}

func (g *Guard) verify(r *http.Request, found *credential) (Principal, error) {
	if found.source.redeem != nil {
		s, token, err := found.source.redeem(r, found.text)
		found.text = token
		return Principal{Session: s}, err
	}
	if g.isSession(found.text) {
		s, err := g.config.Sessions.Verify(r.Context(), found.text)
		return Principal{Session: s}, err
	}
	id, err := g.config.Identities.Verify(r.Context(), found.text)
	if err == nil && id != nil && g.config.Revocations != nil {
		err = g.config.Revocations.CheckIdentity(id)
	}
	return Principal{Identity: id}, err
}

func (g *Guard) isSession(token string) bool {
	if g.config.Sessions == nil || g.config.Identities == nil {
		return g.config.Sessions != nil
	}
	issuer, err := jws.UnverifiedIssuer(token)
	if err != nil || issuer == "" {
		return g.config.SessionIssuer == NoIssuer
	}
	return issuer == g.config.SessionIssuer
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if g.config.OnRefusal != nil {
		g.config.OnRefusal(r, err)
	}
	if g.config.Refuse != nil {
		g.config.Refuse(w, r, err)
		return
	}
	g.WriteRefusal(w, r, err)
}

// setVary adds the headers that the answer depends on. The shared slice has no spare capacity, so that a handler's
// Header.Add copies it.
func (g *Guard) setVary(header http.Header) {
	if before := header["Vary"]; len(before) > 0 {
		header["Vary"] = append(slices.Clone(before), g.vary...)
		return
	}
	header["Vary"] = g.vary
}
