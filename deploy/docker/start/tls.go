package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"time"
)

// seedLength is the least length of START_TLS_SEED, in bytes.
const seedLength = 32

func writeTLS(folder string, lookup func(string) (string, bool), now time.Time) error {
	seed, seeded := lookup("START_TLS_SEED")
	certificate, given := lookup("START_TLS_CERTIFICATE")
	key, keyed := lookup("START_TLS_KEY")
	if given != keyed {
		return errors.New("START_TLS_CERTIFICATE and START_TLS_KEY come together")
	}
	var own authority
	if seeded {
		var err error
		if own, err = newAuthority(seed); err != nil {
			return err
		}
		if err := write(filepath.Join(folder, "authorities", "tasks.crt"), pemOf("CERTIFICATE", own.certificate.Raw)); err != nil {
			return err
		}
	}
	names, _ := lookup("START_TLS_NAMES")
	switch {
	case given:
		if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
			return errors.New("START_TLS_CERTIFICATE and START_TLS_KEY are no certificate and its key in PEM")
		}
		return writePair(folder, []byte(certificate), []byte(key))
	case names == "":
		return nil
	case !seeded:
		return errors.New("START_TLS_NAMES wants a certificate, and there is no START_TLS_SEED to make it of")
	}
	leaf, leafKey, err := own.issue(strings.Split(names, ","), now)
	if err != nil {
		return err
	}
	return writePair(folder, leaf, leafKey)
}

func writePair(folder string, certificate, key []byte) error {
	return errors.Join(write(filepath.Join(folder, "tls.crt"), certificate), write(filepath.Join(folder, "tls.key"), key))
}

// authority is the certificate authority of all tasks that share a seed.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(seed string) (authority, error) {
	if len(seed) < seedLength {
		return authority{}, fmt.Errorf("START_TLS_SEED has %d bytes; at least %d", len(seed), seedLength)
	}
	key, err := derive(seed)
	if err != nil {
		return authority{}, err
	}
	// The times are fixed, so that every task makes the same authority, and span more than any task lives.
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Sallyport tasks"},
		NotBefore:             time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return authority{certificate, key}, err
}

// derive makes a P-256 key of a seed: HKDF until the number is a key, which the first is but for one time in 2³².
func derive(seed string) (*ecdsa.PrivateKey, error) {
	for i := range 100 {
		scalar, err := hkdf.Key(sha256.New, []byte(seed), nil, fmt.Sprintf("sallyport: authority of the tasks, %d", i), 32)
		if err != nil {
			return nil, err
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("no key can be made of START_TLS_SEED")
}

// issue makes a certificate for DNS names. Nothing renews it, and it ends with its task, so it lasts longer than one.
func (a authority) issue(names []string, now time.Time) (certificate, key []byte, err error) {
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[0]},
		DNSNames:     names,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, leaf.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(leaf)
	return pemOf("CERTIFICATE", raw), pemOf("PRIVATE KEY", der), err
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
