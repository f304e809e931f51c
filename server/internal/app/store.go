package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/server/internal/metrics"
	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/bolt"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// Nodes on one Redis share the players' slots too.
var _ session.Cluster = (*redis.Store)(nil)

// openStore opens the store of a configuration, for as long as the process lives. Its calls are counted.
func (a *App) openStore(ctx context.Context, file *config.File) error {
	opened, end, err := a.newStore(ctx, file)
	if err != nil {
		return err
	}
	a.store, a.closeStore = a.metrics.Counted(opened), end
	if file.Store.Redis != nil {
		a.cluster, _ = opened.(session.Cluster)
	}
	return nil
}

func (a *App) newStore(ctx context.Context, file *config.File) (_ metrics.Store, end func() error, err error) {
	switch s := file.Store; {
	case s.Bolt != nil:
		opened, err := bolt.Open(bolt.Config{Path: file.Path(s.Bolt.File), Now: a.options.Now})
		if err != nil {
			return nil, nil, file.Problem("store.file", ExplainStore(err))
		}
		return opened, opened.Close, nil
	case s.Redis != nil:
		c, err := redisConfig(file)
		if err != nil {
			return nil, nil, err
		}
		c.Observe = a.tellOfStore
		opened, err := redis.Open(ctx, c)
		if err != nil {
			return nil, nil, file.Problem("store", err)
		}
		return opened, func() error { opened.Close(); return nil }, nil
	default:
		return session.NewMemoryStoreAt(a.options.Now), func() error { return nil }, nil
	}
}

// ExplainStore says in the words of the command line what an error of a store's file says in those of its package.
func ExplainStore(err error) error {
	text := strings.ReplaceAll(err.Error(), "compact it with AcceptOlderState", "run sallyport store compact --accept-older-state")
	return errors.New(strings.ReplaceAll(text, "bolt: ", ""))
}

// checkStore looks at the files that the store's configuration names. Nothing is opened.
func checkStore(file *config.File) error {
	switch s := file.Store; {
	case s.Bolt != nil:
		folder := filepath.Dir(file.Path(s.Bolt.File))
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return file.Problem("store.file", fmt.Errorf("its folder %s is not there", folder))
		}
	case s.Redis != nil:
		_, err := redisConfig(file)
		return err
	}
	return nil
}

func redisConfig(file *config.File) (redis.Config, error) {
	r := file.Store.Redis
	c := redis.Config{
		Addresses: r.Addresses, Cluster: r.Mode == "cluster", Username: r.Username, Password: string(r.Password.Bytes()),
		InsecurePlaintext: r.InsecurePlaintext, Database: r.Database, Namespace: r.Namespace, Timeout: time.Duration(r.Timeout),
		Replicas: r.Replicas, Remember: r.Remember, InsecureKeepFamilies: r.InsecureKeepFamilies,
	}
	if r.Mode == "sentinel" {
		c.Sentinel = &redis.Sentinel{Master: r.MasterName, Username: r.SentinelUsername, Password: string(r.SentinelPassword.Bytes())}
	}
	var err error
	c.TLS, err = storeTLS(file, r.TLS)
	return c, err
}

func storeTLS(file *config.File, t *config.StoreTLS) (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(file.Path(t.CA))
		if err != nil {
			return nil, file.Problem("store.tls.ca", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, file.Problem("store.tls.ca", errors.New("the file holds no certificate in PEM"))
		}
	}
	if t.Certificate == "" {
		return c, nil
	}
	chain, err := os.ReadFile(file.Path(t.Certificate))
	if err != nil {
		return nil, file.Problem("store.tls.certificate", err)
	}
	key, err := keyfile.ReadPrivate(file.Path(t.Key))
	if err != nil {
		return nil, file.Problem("store.tls.key", err)
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, file.Problem("store.tls", err)
	}
	c.Certificates = []tls.Certificate{certificate}
	return c, nil
}

// tellOfStore logs what the store in Redis says of itself: each fail-over once, and its end.
func (a *App) tellOfStore(s redis.State) {
	if !s.Healed {
		a.log.Warn("the store is another than before: a fail-over, or a restart of its server; unless insecure_keep_families is set, players whose sessions began before sign in again", "epochs", s.Epochs)
		return
	}
	a.log.Info("what this node had revoked is in the store again", "epochs", s.Epochs, "written_again", s.Reasserted)
}

// ledgerWatch remembers what was last logged of the ledger.
type ledgerWatch struct {
	mu                    sync.Mutex
	known, ready, failing bool
}

// look logs what has changed in the state of the ledger: once, however many requests meet it. The ledger calls it when a
// contact changes something, and the watch for what changes by the passing of time.
func (w *ledgerWatch) look(log *slog.Logger, ledger *session.Ledger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := ledger.State()
	if !state.Loaded || w.known && w.ready == state.Ready && w.failing == state.Failing {
		return
	}
	first := !w.known
	w.known, w.ready, w.failing = true, state.Ready, state.Failing
	switch {
	case !state.Ready:
		log.Error("the ledger of revocations is not up to date: every check is refused", "policy", state.Policy, "error", state.LastError)
	case state.Failing:
		log.Warn("the store cannot be reached: going on with what is known", "policy", state.Policy, "error", state.LastError)
	case !first:
		log.Info("the ledger of revocations is up to date")
	}
}
