package devidp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
)

// fileVersion is the format's; another one is refused.
const fileVersion = 1

// fileForm is the File.
type fileForm struct {
	Version    int        `json:"version"`
	UserPoolID string     `json:"user_pool_id"`
	Secret     []byte     `json:"secret"`
	Keys       []pairForm `json:"keys"`
	Users      []*user    `json:"users"`
	Sessions   []*session `json:"sessions"`
}

// pairForm is a key pair as private JWKs.
type pairForm struct {
	ID     json.RawMessage `json:"id"`
	Access json.RawMessage `json:"access"`
	Until  time.Time       `json:"until,omitzero"`
}

// load reads the File and reports whether there was one.
func (p *Provider) load() (bool, error) {
	if p.cfg.File == "" {
		return false, nil
	}
	info, err := os.Stat(p.cfg.File)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("devidp: Config.File: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return false, fmt.Errorf("devidp: Config.File: others may read %s, which holds private keys: give it mode 0600", p.cfg.File)
	}
	data, err := os.ReadFile(p.cfg.File)
	if err != nil {
		return false, fmt.Errorf("devidp: Config.File: %w", err)
	}
	return true, p.parseFile(data)
}

func (p *Provider) parseFile(data []byte) error {
	var form fileForm
	if err := json.Unmarshal(data, &form); err != nil {
		return fmt.Errorf("devidp: Config.File: %s is not a file of this package", p.cfg.File)
	}
	switch {
	case form.Version != fileVersion:
		return fmt.Errorf("devidp: Config.File: version %d; this program reads version %d", form.Version, fileVersion)
	case form.UserPoolID != p.cfg.UserPoolID:
		return fmt.Errorf("devidp: Config.File: the file is of the user pool %q, not of %q", form.UserPoolID, p.cfg.UserPoolID)
	case len(form.Secret) != secretBytes || len(form.Keys) == 0:
		return errors.New("devidp: Config.File: the secret or the keys are missing")
	}
	p.state = state{secret: form.Secret, users: make(map[string]*user), sessions: make(map[string]*session)}
	for _, u := range form.Users {
		if u == nil || u.Sub == "" || len(u.ByName.Value) == 0 || len(u.BySub.Value) == 0 {
			return errors.New("devidp: Config.File: a user has no sub or no verifier")
		}
		if u.Attributes == nil {
			u.Attributes = make(map[string]string)
		}
		p.state.users[u.Sub] = u
	}
	for _, s := range form.Sessions {
		if s == nil || s.ID == "" {
			return errors.New("devidp: Config.File: a session has no origin_jti")
		}
		p.state.sessions[s.ID] = s
	}
	return p.parseKeys(form.Keys)
}

func (p *Provider) parseKeys(pairs []pairForm) error {
	for _, form := range pairs {
		id, err := jws.ParsePrivateJWK(form.ID)
		if err != nil {
			return fmt.Errorf("devidp: Config.File: a key: %w", err)
		}
		access, err := jws.ParsePrivateJWK(form.Access)
		if err != nil {
			return fmt.Errorf("devidp: Config.File: a key: %w", err)
		}
		p.keys = append(p.keys, keyPair{id: id, access: access, until: form.Until})
	}
	return nil
}

// save writes the File as a whole: to a new file beside it, which then takes its name. If that fails the operation
// fails, and what it did stays in memory only. The caller holds the lock, or nobody else knows the provider yet.
func (p *Provider) save() error {
	if p.cfg.File == "" {
		return nil
	}
	data, err := p.fileData()
	if err != nil {
		return fmt.Errorf("devidp: Config.File: %w", err)
	}
	if err := replaceFile(p.cfg.File, data); err != nil {
		return fmt.Errorf("devidp: Config.File: %w", err)
	}
	return nil
}

func (p *Provider) fileData() ([]byte, error) {
	form := fileForm{Version: fileVersion, UserPoolID: p.cfg.UserPoolID, Secret: p.state.secret}
	for _, pair := range p.keys.published(p.cfg.Now()) {
		id, err := pair.id.MarshalJWK()
		if err != nil {
			return nil, err
		}
		access, err := pair.access.MarshalJWK()
		if err != nil {
			return nil, err
		}
		form.Keys = append(form.Keys, pairForm{ID: id, Access: access, Until: pair.until})
	}
	for _, u := range p.state.users {
		form.Users = append(form.Users, u)
	}
	for _, s := range p.state.sessions {
		form.Sessions = append(form.Sessions, s)
	}
	return json.MarshalIndent(form, "", "  ")
}

// replaceFile writes data durably; os.CreateTemp gives the mode 0600.
func replaceFile(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(data); err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
