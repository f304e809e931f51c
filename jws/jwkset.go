package jws

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ParseJWKSet parses the public keys of a JWK Set (RFC 7517 section 5), each as [ParseJWK] does. A key that does not
// parse is left out, and so are all keys that share a kid; skipped says which and why, without a key's members. err is
// set only if the set as a whole does not parse.
func ParseJWKSet(data []byte) (keys []*Key, skipped []error, err error) {
	set, err := ParseObject(data)
	if err != nil {
		return nil, nil, within("the JWK Set", err)
	}
	list, ok := set.Objects("keys")
	if !ok {
		return nil, nil, errors.New(`jws: the JWK Set has no array "keys" of objects`)
	}
	count := make(map[string]int)
	for _, o := range list {
		kid, _ := o.String("kid")
		count[kid]++
	}
	for i, o := range list {
		kid, _ := o.String("kid")
		key, err := publicJWK(o)
		if err == nil && kid != "" && count[kid] > 1 {
			err = errors.New("jws: several keys have this kid")
		}
		if err != nil {
			skipped = append(skipped, within(fmt.Sprintf("key %d (kid %q)", i, shorten(kid)), err))
			continue
		}
		keys = append(keys, key)
	}
	return keys, skipped, nil
}

// within says where an error of this package was met.
func within(where string, err error) error {
	return fmt.Errorf("jws: %s: %s", where, strings.TrimPrefix(err.Error(), "jws: "))
}

// shorten bounds what an error quotes of a key set.
func shorten(kid string) string {
	const most = 64
	if len(kid) <= most {
		return kid
	}
	return strings.ToValidUTF8(kid[:most], "") + "…"
}

// MarshalJWKSet returns the JWK Set of public keys with kty, kid, use, alg and the public members. HS256 keys are an
// error: they have no public part.
func MarshalJWKSet(keys ...*Key) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range keys {
		if k == nil || k.public == nil {
			return nil, errors.New("jws: an HS256 key in a public JWK Set")
		}
		set.Keys = append(set.Keys, k.jwk())
	}
	return json.Marshal(set)
}
