package app

import (
	"errors"
	"reflect"
	"strings"

	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/session"
)

// Reload puts another configuration in place of the running one. If it returns an error, the old one goes on, whole. What
// has changed in the file but needs a restart is logged and stays as it was.
func (a *App) Reload(file *config.File) error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	old := a.current.Load()
	kept := keepFixed(&file.Config, &old.file.Config)
	a.options.Secrets.Set(file.Secrets()...)
	g, err := a.generation(file, old)
	if err != nil {
		return err
	}
	read, err := a.readFiles(file)
	if err = errors.Join(a.checkGate(file), err); err == nil {
		err = a.useFiles(file, read)
	}
	if err != nil {
		g.closeBut(old)
		return err
	}
	a.current.Store(g)
	if err := a.changeGate(file, old.file); err != nil {
		a.log.Error("the gate stays as it was", "error", err) // although checkGate took the change
	}
	old.closeBut(g)
	a.warnOfKeys(file)
	a.warnOfGate(file)
	if len(kept) > 0 {
		a.log.Warn("the configuration is reloaded, but for what needs a restart", "unchanged", strings.Join(kept, ", "))
		return nil
	}
	a.log.Info("the configuration is reloaded")
	return nil
}

// files are what a configuration has outside of its own file. keys are nil if there is no key file.
type files struct {
	certificates certificates
	keys         []session.KeyEntry
}

// readFiles reads the key file and the certificates again. It changes nothing.
func (a *App) readFiles(file *config.File) (read files, err error) {
	if read.certificates, err = readCertificates(file); err != nil || a.keys == nil {
		return read, err
	}
	if read.keys, err = a.readKeys(file); err != nil {
		return read, file.Problem("sessions.key_file", err)
	}
	return read, nil
}

// useFiles puts them in place of those before, all or none.
func (a *App) useFiles(file *config.File, read files) error {
	if a.keys != nil {
		if err := a.keys.Replace(read.keys); err != nil {
			return file.Problem("sessions.key_file", err)
		}
	}
	a.use(read.certificates)
	return nil
}

// readKeys reads a key file and makes sure that one of its keys signs now, as the start does: sign-ins must go on.
func (a *App) readKeys(file *config.File) ([]session.KeyEntry, error) {
	entries, err := keyfile.Read(file.Path(file.Sessions.KeyFile))
	if err != nil {
		return nil, err
	}
	c := ringConfig(file, a.options.Now)
	c.Keys = entries
	ring, err := session.NewKeyring(c)
	if err == nil {
		_, err = ring.Signer()
	}
	return entries, err
}

// keepFixed puts the old values of everything that only a restart can change into a new configuration, and returns the
// names of the fields that it had to.
func keepFixed(now, old *config.Config) (kept []string) {
	keep(&kept, "issuer", &now.Issuer, old.Issuer)
	keep(&kept, "listen", &now.Listen, old.Listen)
	keep(&kept, "metrics", &now.Metrics, old.Metrics)
	keep(&kept, "log", &now.Log, old.Log)
	keep(&kept, "store", &now.Store, old.Store)
	keep(&kept, "revocation", &now.Revocation, old.Revocation)
	kept = append(kept, keepGate(now, old)...)
	if (now.TLS == nil) != (old.TLS == nil) {
		now.TLS = old.TLS
		kept = append(kept, "tls")
	}
	if (now.Sessions == nil) != (old.Sessions == nil) || needsKeys(now) != needsKeys(old) {
		now.Sessions = old.Sessions
		return append(kept, "sessions")
	}
	if now.Sessions != nil {
		keep(&kept, "sessions.token_lifetime", &now.Sessions.TokenLifetime, old.Sessions.TokenLifetime)
		keep(&kept, "sessions.session_lifetime", &now.Sessions.SessionLifetime, old.Sessions.SessionLifetime)
		keep(&kept, "sessions.key_cache_lifetime", &now.Sessions.KeyCacheLifetime, old.Sessions.KeyCacheLifetime)
	}
	return kept
}

// keepGate does so for what of the gate is made at the start.
func keepGate(now, old *config.Config) (kept []string) {
	if now.Gate == nil || old.Gate == nil {
		keep(&kept, "gate", &now.Gate, old.Gate)
		return kept
	}
	keep(&kept, "gate.listen", &now.Gate.Listen, old.Gate.Listen)
	keep(&kept, "gate.stale_sockets", &now.Gate.StaleSockets, old.Gate.StaleSockets)
	keep(&kept, "gate.sockets_per_player", &now.Gate.SocketsPerPlayer, old.Gate.SocketsPerPlayer)
	keep(&kept, "gate.notice", &now.Gate.Notice, old.Gate.Notice)
	keep(&kept, "gate.node", &now.Gate.Node, old.Gate.Node)
	keep(&kept, "gate.lease", &now.Gate.Lease, old.Gate.Lease)
	if (now.Gate.TLS == nil) != (old.Gate.TLS == nil) {
		keep(&kept, "gate.tls", &now.Gate.TLS, old.Gate.TLS)
	}
	return kept
}

func needsKeys(c *config.Config) bool { return c.Sessions != nil && c.Sessions.KeyFile != "" }

func keep[T any](kept *[]string, name string, now *T, old T) {
	if !reflect.DeepEqual(*now, old) {
		*now, *kept = old, append(*kept, name)
	}
}

// Reloaded notes how an attempt to read the configuration again ended, with the error of reading it or of Reload.
func (a *App) Reloaded(err error) {
	a.metrics.Reload(err)
	if err != nil {
		a.log.Error("the configuration is not reloaded; the one before goes on", "problems", strings.Split(err.Error(), "\n"))
	}
}
