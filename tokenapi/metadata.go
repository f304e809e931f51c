package tokenapi

import (
	"net/http"
	"strconv"

	"github.com/sallyport-auth/sallyport/jws"
)

const (
	pathMetadata = "/.well-known/oauth-authorization-server"
	pathJWKS     = "/.well-known/jwks.json"
)

// metadataAge is the max-age of the metadata document where there is no keyring to say, in seconds.
const metadataAge = 3600

func (a *API) metadata() endpoint {
	return endpoint{path: pathMetadata, methods: []string{http.MethodGet, http.MethodHead}, cors: true, serve: a.serveMetadata}
}

func (a *API) jwks() endpoint {
	return endpoint{
		path: pathJWKS, methods: []string{http.MethodGet, http.MethodHead}, cors: true,
		absent: a.config.Keys == nil, serve: a.serveJWKS,
	}
}

// serverMetadata is the document of RFC 8414 section 2.
type serverMetadata struct {
	Issuer                   string   `json:"issuer"`
	TokenEndpoint            string   `json:"token_endpoint,omitempty"`
	JWKSURI                  string   `json:"jwks_uri,omitempty"`
	ResponseTypes            []string `json:"response_types_supported"`
	GrantTypes               []string `json:"grant_types_supported"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationEndpoint       string   `json:"revocation_endpoint"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionEndpoint    string   `json:"introspection_endpoint"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
}

func (a *API) serveMetadata(w http.ResponseWriter, _ *http.Request, d *Decision) {
	doc := serverMetadata{
		Issuer: a.config.Issuer, ResponseTypes: []string{}, GrantTypes: []string{}, TokenAuthMethods: []string{"none"},
		RevocationEndpoint: a.base + pathRevoke, RevocationAuthMethods: []string{"none", "client_secret_basic"},
		IntrospectionEndpoint: a.base + pathIntrospect, IntrospectionAuthMethods: []string{"client_secret_basic"},
	}
	if a.config.Sessions != nil {
		doc.TokenEndpoint, doc.GrantTypes = a.base+pathToken, []string{grantExchange, grantRefresh}
	}
	if a.config.Keys != nil {
		doc.JWKSURI = a.base + pathJWKS
	}
	a.setPublic(w)
	d.Allowed = true
	writeJSON(w, d, http.StatusOK, doc)
}

func (a *API) serveJWKS(w http.ResponseWriter, _ *http.Request, d *Decision) {
	set, err := a.config.Keys.JWKS()
	if err != nil {
		writeRefusal(w, d, &jws.Refusal{Check: jws.CheckSignature, Reason: jws.Unavailable, Want: "a key set that can be written", Err: err})
		return
	}
	a.setPublic(w)
	w.Header().Set("Content-Type", "application/jwk-set+json")
	d.Status, d.Allowed = http.StatusOK, true
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(set)
}

// setPublic lets anyone keep the document for as long as the keyring relies on: a new key signs no earlier than that.
func (a *API) setPublic(w http.ResponseWriter) {
	age := metadataAge
	if a.config.Keys != nil {
		age = int(a.config.Keys.CacheLifetime().Seconds())
	}
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(age))
}
