package identity

import (
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// UnityConfig is the configuration of Unity Authentication.
type UnityConfig struct {
	Common
	// ProjectID is the Unity project's id. Tokens must have "upid:" + ProjectID in aud. Required: all games in the world
	// share Unity's issuer and keys, and only this tells them apart.
	ProjectID string
	// EnvironmentIDs are the environments that may come here ("envId:…" in aud). Default: every one of the project.
	EnvironmentIDs []string
	// EnvironmentNames are the names of environments that may come here ("envName:production" in aud), besides the
	// project: a name alone is any game's. Default: every one of the project.
	EnvironmentNames []string
}

// NewUnity returns an issuer for the access tokens of Unity Authentication (support.unity.com, "What do Unity
// Authentication JWT claims mean"). sub is the player id, which is unique within the project.
func NewUnity(c UnityConfig) (*Issuer, error) {
	err := firstOf(
		noBlank("UnityConfig", "EnvironmentIDs", c.EnvironmentIDs),
		noBlank("UnityConfig", "EnvironmentNames", c.EnvironmentNames),
	)
	if c.ProjectID == "" || strings.ContainsAny(c.ProjectID, ": ") {
		err = &ConfigError{"UnityConfig", "ProjectID", "must be the Unity project's id, without \"upid:\""}
	}
	if err != nil {
		return nil, err
	}
	checks := []check{audience("upid:" + c.ProjectID), ifPresent("project_id", claimIs("project_id", jws.WrongClaim, c.ProjectID))}
	if len(c.EnvironmentIDs) > 0 {
		checks = append(checks, audience(prefixed("envId:", c.EnvironmentIDs)...))
	}
	if len(c.EnvironmentNames) > 0 {
		checks = append(checks, audience(prefixed("envName:", c.EnvironmentNames)...))
	}
	return newIssuer(c.Common, profile{
		name: "unity", config: "UnityConfig",
		origins:    []origin{wellKnownJWKS("https://player-auth.services.api.unity.com")},
		algorithms: []jws.Algorithm{jws.RS256}, types: []string{"JWT", ""}, use: AccessToken,
		check: all(checks...),
	})
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for n, s := range list {
		out[n] = prefix + s
	}
	return out
}
