// Package testvectors reads the project's test vectors: one file per case, in the manner of C2SP's CCTV.
//
// A file is header lines, an empty line, and the body:
//
//	expect: refuse
//	check: algorithm
//	reason: algorithm_refused
//	note: RFC 8725 section 3.1
//
//	eyJhbGciOiJub25lIn0.e30.
//
// The header "encoding: quoted" says that the body is a Go string literal, for bytes that a text file cannot
// show. Which headers mean something is up to the package that owns the vectors.
//
// The package also holds the fixed keys and the fixed time that vectors are made with. The keys are public: they
// protect nothing and must never be used outside tests.
package testvectors

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Now is the time at which every vector is judged: 2026-11-01T12:00:00Z, Unix time 1793534400.
var Now = time.Unix(1793534400, 0).UTC()

//go:embed keys/*.pem
var keys embed.FS

// Vector is one case.
type Vector struct {
	// Name is the file's name without its extension.
	Name string
	// Body is what the case is about: a token, a JWK Set, a request body.
	Body string

	fields map[string]string
}

// Get returns a header's value, "" where the file has no such header.
func (v Vector) Get(field string) string { return v.fields[field] }

// Load reads every .txt file in dir, in the order of their names. It fails the test for an unreadable or malformed
// file and for an empty folder.
func Load(tb testing.TB, dir string) []Vector {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("testvectors: no vectors in %s (%v)", dir, err)
	}
	vectors := make([]Vector, 0, len(paths))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatalf("testvectors: %v", err)
		}
		vectors = append(vectors, parse(tb, path, string(data)))
	}
	return vectors
}

func parse(tb testing.TB, path, text string) Vector {
	tb.Helper()
	head, body, found := strings.Cut(text, "\n\n")
	if !found {
		tb.Fatalf("testvectors: %s: no empty line between the headers and the body", path)
	}
	v := Vector{
		Name:   strings.TrimSuffix(filepath.Base(path), ".txt"),
		Body:   strings.TrimSuffix(body, "\n"),
		fields: make(map[string]string),
	}
	for line := range strings.SplitSeq(head, "\n") {
		name, value, found := strings.Cut(line, ":")
		if _, twice := v.fields[name]; !found || twice {
			tb.Fatalf("testvectors: %s: %q is no header line or is there twice", path, line)
		}
		v.fields[name] = strings.TrimSpace(value)
	}
	if v.Get("encoding") == "quoted" {
		unquoted, err := strconv.Unquote(v.Body)
		if err != nil {
			tb.Fatalf("testvectors: %s: the body is no Go string literal: %v", path, err)
		}
		v.Body = unquoted
	}
	return v
}

// PrivateKey returns a fixed test key: rsa-1 and rsa-2 (2048 bits), rsa-1024, p256-1, p256-2, ed25519-1, ed25519-2.
func PrivateKey(tb testing.TB, name string) crypto.Signer {
	tb.Helper()
	data, err := keys.ReadFile("keys/" + name + ".pem")
	if err != nil {
		tb.Fatalf("testvectors: no key %q", name)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		tb.Fatalf("testvectors: key %q: %v", name, err)
	}
	return key.(crypto.Signer)
}

// Secret returns 32 fixed bytes for a name, for HMAC keys.
func Secret(name string) []byte {
	sum := sha256.Sum256([]byte("sallyport test secret " + name))
	return sum[:]
}
