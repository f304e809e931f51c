package dev

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

// openFolder makes sure that there is a folder with keys and secrets: the one that was asked for, or a temporary one.
func (w *world) openFolder() (err error) {
	w.folder = w.options.Data
	if w.folder == "" {
		w.temporary = true
		if w.folder, err = os.MkdirTemp("", "sallyport-dev-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(w.path("keys.json")); errors.Is(err, fs.ErrNotExist) {
		if err := keyfile.Create(w.path("keys.json"), jws.EdDSA, w.options.Now()); err != nil {
			return err
		}
	}
	if w.password, err = w.secret("password", newPassword); err != nil {
		return err
	}
	if w.callerSecret, err = w.secret("caller-secret", newSecret); err != nil {
		return err
	}
	w.photonSecret, err = w.secret("photon-secret", newSecret)
	return err
}

func (w *world) path(name string) string { return filepath.Join(w.folder, name) }

// secret returns what a file of the folder holds, and makes the file if it is not there.
func (w *world) secret(name string, make func() string) (string, error) {
	data, err := os.ReadFile(w.path(name))
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	secret := make()
	return secret, os.WriteFile(w.path(name), []byte(secret+"\n"), 0o600)
}

// newPassword has what Cognito's default policy wants: both cases, a digit and a symbol.
func newPassword() string { return "Port-" + strings.ToLower(rand.Text()[:10]) + "-7" }

// newSecret has 256 bits, as much as a key.
func newSecret() string { return rand.Text() + rand.Text() }

// configuration is the file that would make sallyport serve do the same.
func (w *world) configuration() (*config.File, error) {
	text := fmt.Sprintf(`
issuer: %[1]s
store: {type: memory}
issuers:
  - type: cognito
    realm: %[2]s
    user_pool_id: %[3]s
    client_ids: [%[4]s]
    uses: [access, id]
    endpoint: %[5]s
sessions:
  audiences: [{name: %[6]s}]
  key_file: keys.json
callers:
  - id: %[7]s
    secrets: ["${caller_secret}"]
    may: [introspect, redeem, revoke, ban, follow, sockets]
photon:
  tokens: session
  secrets: ["${photon_secret}"]
gate:
  listen: %[8]s
  stale_sockets: close
  servers: [{type: plain, backend: "http://%[9]s", path: /ws}]
  drain_window: 0s
`, w.apiURL(), realm, poolID, clientID, w.idpURL(), audience, callerID, w.gate.Addr(), w.game.Addr())
	return config.Parse(strictyaml.Source{Name: w.path("sallyport.yaml"), Data: []byte(text), Env: w.variable})
}

func (w *world) variable(name string) (string, bool) {
	value, ok := map[string]string{"caller_secret": w.callerSecret, "photon_secret": w.photonSecret}[name]
	return value, ok
}
