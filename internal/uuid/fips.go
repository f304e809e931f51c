//go:build go1.26

package uuid

import "crypto/fips140"

// withoutFIPS runs f where SHA-1 is to be had in FIPS 140-only mode, too: version 5 is made with SHA-1 by definition, and
// no signature or secret rests on it.
func withoutFIPS(f func()) { fips140.WithoutEnforcement(f) }
