package connect

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// CookieConfig names a cookie and the sites that may use it.
type CookieConfig struct {
	// Name is the cookie's name, for example "__Host-session". Required.
	Name string
	// Origins are the origins that may send the cookie, the site's own included, exactly as a browser writes them:
	// "https://play.example". Required: a browser adds cookies to requests that any site makes. There is no
	// wildcard.
	Origins []string
}

// Cookie finds the token in a cookie. A browser adds it by itself, so the request's Origin must be in the allow-list
// where somebody else's site could do harm: for methods other than GET, HEAD and OPTIONS, for WebSocket upgrades, for
// what Sec-Fetch-Site calls cross-site, save the navigation of a whole page (a followed link), and for what has an
// Origin without a Sec-Fetch-Site. Those are refused with WrongOrigin, the first three also if they have no Origin at all.
func Cookie(config CookieConfig) Source {
	s := cookieSource(config.Origins, func(r *http.Request) (string, error) { return cookieValue(r, config.Name) })
	if config.Name == "" {
		s.err = errors.New("Cookie needs Name")
	}
	return s
}

// ClerkCookieConfig names the Clerk instance and the sites that may use its cookie.
type ClerkCookieConfig struct {
	// PublishableKey is the instance's publishable key, pk_live_… or pk_test_…. Where it is set, the cookie of this
	// instance is preferred to those of others on the same host (several development instances on localhost).
	PublishableKey string
	// Origins is as CookieConfig.Origins. Required.
	Origins []string
}

// ClerkCookie finds a Clerk session token in __session_<suffix>, else in __session, as Clerk's own backends do. With
// a publishable key the suffix is known; without one, two suffixed cookies that differ are refused.
func ClerkCookie(config ClerkCookieConfig) Source {
	suffix := ""
	if config.PublishableKey != "" {
		suffix = ClerkCookieSuffix(config.PublishableKey)
	}
	return cookieSource(config.Origins, func(r *http.Request) (string, error) { return clerkCookie(r, suffix) })
}

// ClerkCookieSuffix returns the suffix of an instance's cookies: the first eight characters of the base64url of the
// publishable key's SHA-1, as @clerk/shared computes it.
func ClerkCookieSuffix(publishableKey string) string {
	sum := sha1.Sum([]byte(publishableKey))
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}

func clerkCookie(r *http.Request, suffix string) (string, error) {
	if suffix != "" {
		if token, err := cookieValue(r, "__session_"+suffix); token != "" || err != nil {
			return token, err
		}
		return cookieValue(r, "__session")
	}
	token := ""
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, "__session_") || c.Value == "" {
			continue
		}
		if token != "" && token != c.Value {
			return "", errTwoCookies
		}
		token = c.Value
	}
	if token != "" {
		return token, nil
	}
	return cookieValue(r, "__session")
}

// cookieValue returns the cookie's value. Two cookies of one name may have been set by different hosts of one domain;
// if they differ, nobody can say which is meant.
func cookieValue(r *http.Request, name string) (string, error) {
	value := ""
	for i, c := range r.CookiesNamed(name) {
		if i > 0 && c.Value != value {
			return "", errTwoCookies
		}
		value = c.Value
	}
	return value, nil
}

func cookieSource(origins []string, find func(*http.Request) (string, error)) Source {
	origins = slices.Clone(origins)
	return Source{
		cookie: true,
		vary:   []string{"Cookie", "Origin", "Sec-Fetch-Site"},
		err:    checkOrigins(origins),
		find: func(r *http.Request) (string, error) {
			token, err := find(r)
			if token != "" && needsOrigin(r) && !originAllowed(r, origins) {
				return "", errWrongOrigin
			}
			return token, err
		},
	}
}

func checkOrigins(origins []string) error {
	if len(origins) == 0 {
		return errors.New("a cookie needs Origins: list the sites that may use it, for example https://play.example")
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || origin != u.Scheme+"://"+strings.ToLower(u.Host) {
			return fmt.Errorf("origin %q is not one a browser would send: write scheme://host or scheme://host:port in lower case, nothing more", origin)
		}
	}
	return nil
}

func needsOrigin(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return true
	}
	// Proxies that ask us about a handshake may keep Upgrade to themselves (nginx's auth_request), not the key.
	if r.Header.Get("Upgrade") != "" || r.Header.Get("Sec-Websocket-Key") != "" {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
		// Browsers without Sec-Fetch-Site, and all of them over plain HTTP, still say so when a page of another origin asks.
		return len(r.Header["Origin"]) > 0
	case "same-origin", "same-site", "none":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

func originAllowed(r *http.Request, origins []string) bool {
	sent := r.Header["Origin"]
	return len(sent) == 1 && slices.Contains(origins, sent[0])
}
