package identity

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

// CognitoConfig is the configuration of an Amazon Cognito user pool.
type CognitoConfig struct {
	Common
	// UserPoolID is the pool's id, such as "eu-central-1_Example12". Required.
	UserPoolID string
	// Region is the pool's home region. Default: the one that UserPoolID begins with, which is the only right value
	// unless Endpoint is set.
	Region string
	// Regions are the other regions of a pool with multi-Region replication, whose tokens carry in iss the region that
	// issued them. Default none.
	Regions []string
	// ClientIDs are the app clients whose tokens are taken: client_id of access tokens, aud of ID tokens. Required.
	ClientIDs []string
	// Uses are the tokens that are taken: AccessToken, IDToken or both. Required.
	Uses []Use
	// AnyGroup are groups of which the player must be in at least one (cognito:groups). Default: none is needed.
	AnyGroup []string
	// Scopes are scopes of which the token must have at least one. Access tokens of an SRP sign-in have only
	// "aws.cognito.signin.user.admin", and ID tokens have no scopes. Default: none is needed.
	Scopes []string
	// Endpoint is the base URL of an emulator or of the development issuer: https, or http on a loopback address. The
	// one issuer that is then taken is Endpoint + "/" + UserPoolID. Default: AWS.
	Endpoint string
}

// poolID is the form of a user pool id on AWS: its region, "_", and letters and digits.
var poolID = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})_[0-9A-Za-z]{1,55}$`)

// NewCognito returns an issuer for a Cognito user pool. Both of Cognito's spellings of iss are taken, ORIGINAL
// (cognito-idp.REGION.amazonaws.com) and UPDATED (issuer-cognito-idp.REGION.amazonaws.com); the keys of each are fetched
// when its first token comes. An access token must have token_use=access and a listed client_id, and needs no aud; an
// ID token must have token_use=id and a listed aud (docs.aws.amazon.com/cognito, "Verifying JSON web tokens"). The
// upstream session is origin_jti, Groups are cognito:groups.
func NewCognito(c CognitoConfig) (*Issuer, error) {
	err := firstOf(
		c.validate(),
		required("CognitoConfig", "ClientIDs", c.ClientIDs, "the app client ids whose tokens may come here"),
		checkUses("CognitoConfig", c.Uses, AccessToken, IDToken),
		noBlank("CognitoConfig", "AnyGroup", c.AnyGroup),
		noBlank("CognitoConfig", "Scopes", c.Scopes),
	)
	if err != nil {
		return nil, err
	}
	return newIssuer(c.Common, profile{
		name: "cognito", config: "CognitoConfig", origins: c.origins(),
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"", "JWT"},
		check: all(c.use(), anyOf("cognito:groups", c.AnyGroup), anyOf("scope", c.Scopes)),
		fill:  fillCognito,
	})
}

func (c CognitoConfig) validate() error {
	if c.Endpoint != "" {
		if c.UserPoolID == "" || strings.ContainsAny(c.UserPoolID, "/?# ") {
			return &ConfigError{"CognitoConfig", "UserPoolID", "must be a pool id, without slashes or spaces"}
		}
		return checkIssuer("CognitoConfig", "Endpoint", c.Endpoint)
	}
	pool := poolID.FindStringSubmatch(c.UserPoolID)
	switch {
	case pool == nil:
		return &ConfigError{"CognitoConfig", "UserPoolID", `must be a pool id such as "eu-central-1_Example12"`}
	case c.Region != "" && c.Region != pool[1]:
		return &ConfigError{"CognitoConfig", "Region", "is not the region that UserPoolID begins with: put replica regions in Regions"}
	}
	for _, region := range c.Regions {
		if !poolID.MatchString(region + "_x") {
			return &ConfigError{"CognitoConfig", "Regions", `must hold regions such as "us-west-2"`}
		}
	}
	return nil
}

// origins are all spellings of the pool's iss. Only the home region's ORIGINAL one is sure to have keys: the UPDATED
// host answers 403 for a pool that did not opt in.
func (c CognitoConfig) origins() []origin {
	if c.Endpoint != "" {
		return []origin{wellKnownJWKS(strings.TrimSuffix(c.Endpoint, "/") + "/" + c.UserPoolID)}
	}
	home, _, _ := strings.Cut(c.UserPoolID, "_")
	regions := append([]string{home}, c.Regions...)
	slices.Sort(regions[1:])
	var origins []origin
	for n, region := range slices.Compact(regions) {
		for _, host := range []string{"cognito-idp.", "issuer-cognito-idp."} {
			o := wellKnownJWKS("https://" + host + region + "." + awsSuffix(region) + "/" + c.UserPoolID)
			o.optional = n > 0 || host != "cognito-idp."
			origins = append(origins, o)
		}
	}
	return origins
}

// wellKnownJWKS is the origin of an issuer whose keys are at iss + "/.well-known/jwks.json".
func wellKnownJWKS(iss string) origin {
	url := strings.TrimSuffix(iss, "/") + "/.well-known/jwks.json"
	return origin{iss: exactly(iss), fetch: jwks.Config{URL: url}}
}

// awsSuffix is the domain of a region's partition (docs.aws.amazon.com/whitepapers, "AWS Fault Isolation Boundaries").
func awsSuffix(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu"
	default:
		return "amazonaws.com"
	}
}

// use checks token_use and then what stands for the audience with that use.
func (c CognitoConfig) use() check {
	var want []string
	for _, use := range c.Uses {
		want = append(want, string(use))
	}
	use := claimIs("token_use", jws.WrongUse, want...)
	ofID, ofAccess := audience(c.ClientIDs...), claimIs("client_id", jws.WrongClient, c.ClientIDs...)
	return func(t *jws.Token) error {
		if err := use(t); err != nil {
			return err
		}
		if text(t.Claims, "token_use") == string(IDToken) {
			return ofID(t)
		}
		return ofAccess(t)
	}
}

func fillCognito(t *jws.Token, id *Identity) {
	c := t.Claims
	id.Use = Use(text(c, "token_use"))
	id.Groups, _ = c.Strings("cognito:groups")
	id.Session = text(c, "origin_jti")
	id.Username = text(c, "username")
	if id.Use == IDToken {
		id.Username = text(c, "cognito:username")
	}
}

// anyOf requires that a claim, a list or a text with spaces, holds at least one of want. With no want it is no check.
func anyOf(claim string, want []string) check {
	if len(want) == 0 {
		return nil
	}
	return func(t *jws.Token) error {
		got := words(t.Claims, claim)
		if slices.ContainsFunc(got, func(s string) bool { return slices.Contains(want, s) }) {
			return nil
		}
		return t.Refuse(jws.CheckPolicy, jws.WrongClaim, claim, "one of "+strings.Join(want, ", "), strings.Join(got, " "))
	}
}

// checkUses checks a list of uses that must not be empty.
func checkUses(config string, uses []Use, known ...Use) error {
	if len(uses) == 0 {
		return &ConfigError{config, "Uses", "is empty: say which tokens are taken, AccessToken, IDToken or both"}
	}
	for _, use := range uses {
		if !slices.Contains(known, use) {
			return &ConfigError{config, "Uses", "has an entry that is neither AccessToken nor IDToken"}
		}
	}
	return nil
}
