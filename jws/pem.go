package jws

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePublicPEM returns the verification key in a text with exactly one PEM block: PUBLIC KEY (PKIX), RSA PUBLIC KEY
// (PKCS #1) or CERTIFICATE, of which only the key is used. kid may be "".
func ParsePublicPEM(kid string, text []byte) (*Key, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("jws: no PEM block; want one that starts with -----BEGIN PUBLIC KEY----- on a line of its own")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("jws: text after the PEM block; want exactly one block")
	}
	public, err := publicBlock(block)
	if err != nil {
		return nil, err
	}
	return NewKey(kid, public)
}

func publicBlock(block *pem.Block) (crypto.PublicKey, error) {
	var public crypto.PublicKey
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("jws: a private key where a public one belongs; take it away from here")
		}
		return nil, errors.New("jws: a PEM block of another type than PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
	}
	if err != nil {
		return nil, fmt.Errorf("jws: the %s block does not parse: %v", block.Type, err)
	}
	return public, nil
}

// ParseX509Set returns the keys of a JSON object from kid to a certificate in PEM, which is how Google publishes the
// keys of Firebase and of service accounts. The certificates' names, dates and issuers are not looked at: a key is
// good as long as it is published. skipped says which entries were left out and why; err is set only if the object as
// a whole does not parse.
func ParseX509Set(data []byte) (keys []*Key, skipped []error, err error) {
	set, err := ParseObject(data)
	if err != nil {
		return nil, nil, within("the certificate map", err)
	}
	for i := range set.Len() {
		kid, raw := set.entry(i)
		text, _ := stringOf(raw)
		key, err := ParsePublicPEM(kid, []byte(text))
		if err != nil {
			skipped = append(skipped, within(fmt.Sprintf("key %q", shorten(kid)), err))
			continue
		}
		keys = append(keys, key)
	}
	return keys, skipped, nil
}
