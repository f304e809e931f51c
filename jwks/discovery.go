package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// wellKnown is where the provider's configuration is (OpenID Connect Discovery 1.0 section 4).
const wellKnown = "/.well-known/openid-configuration"

// discover reads the provider's configuration and returns where its keys are.
func (s *Set) discover(ctx context.Context) (*url.URL, error) {
	address, err := url.Parse(strings.TrimSuffix(s.config.Discovery, "/") + wellKnown)
	if err != nil {
		return nil, errors.New("jwks: the issuer makes no address")
	}
	body, _, err := s.get(ctx, address)
	if err != nil {
		return nil, err
	}
	keysAt, err := parseDiscovery(body, s.config.DiscoveredIssuer, s.origin.Scheme == "http")
	if err != nil {
		return nil, fmt.Errorf("jwks: %s: %w", display(address), err)
	}
	return keysAt, nil
}

// parseDiscovery returns jwks_uri of a provider's configuration whose issuer is exactly the one wanted (OpenID Connect
// Discovery 1.0 section 4.3). loopback says whether http on a loopback address will do.
func parseDiscovery(body []byte, issuer string, loopback bool) (*url.URL, error) {
	document, err := jws.ParseObject(body)
	if err != nil {
		return nil, errors.New("the answer is no provider configuration")
	}
	if found, ok := document.String("issuer"); !ok || found != issuer {
		return nil, fmt.Errorf("the document is not of the issuer %q (Config.DiscoveredIssuer)", issuer)
	}
	text, ok := document.String("jwks_uri")
	if !ok {
		return nil, errors.New("the document has no jwks_uri")
	}
	keysAt, err := parseAddress(text, loopback)
	if err != nil {
		return nil, fmt.Errorf("its jwks_uri %w", err)
	}
	return keysAt, nil
}
