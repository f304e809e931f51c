package nakama

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/identity"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

const (
	loginsKept   = 100_000 // about 500 bytes each
	verdictsKept = 10_000
	endedKept    = 10_000
	startTimeout = 5 * time.Second // for the first contact with the issuers and the server
	askTimeout   = 5 * time.Second
)

// module is what the hooks share.
type module struct {
	config     Config
	logger     runtime.Logger
	db         *sql.DB
	nk         runtime.NakamaModule
	now        func() time.Time
	identities identity.Verifier
	ledger     *session.Ledger
	sessions   *session.Verifier // of session tokens
	refreshes  *session.Verifier // of refresh tokens, which only their key tells from session tokens
	// Those of a logout: a session can be ended though it cannot be known whether it was already.
	endingSessions, endingRefreshes *session.Verifier
	seal                            sealer
	registry                        *connect.Registry
	deny                            denier
	self                            string
	client                          *http.Client
	report                          *reporter // nil: logouts are told to nobody
	naming                          *naming   // nil: nobody is told who a user is
	started                         time.Time

	logins   *recent[login]    // by tid
	tids     *recent[string]   // by login
	verdicts *recent[verdict]  // by tid
	sockets  sync.Map          // of *connect.Socket, by Nakama's id
	ended    *recent[struct{}] // sockets whose end was told before their start
}

// login is a session whose tokens Nakama made while this process ran.
type login struct {
	userID, login, upstream, realm string
}

// Register reads runtime.env, refuses what is wrong there, and registers the hooks and RPCs. Call it from InitModule and
// return its error, which ends the start of Nakama. The context ends what it starts: the follower of the revocations and
// the reports of logouts.
func Register(ctx context.Context, logger runtime.Logger, db *sql.DB, nk runtime.NakamaModule, initializer runtime.Initializer) error {
	m, err := newModule(ctx, logger, db, nk, initializer)
	if err == nil {
		err = m.register(initializer)
	}
	if err != nil {
		logger.Error("sallyport: not loaded: %v", err)
		return fmt.Errorf("sallyport: %w", err)
	}
	m.start(ctx)
	logger.Info("sallyport: sign-ins by %s only, revocations from %s", strings.Join(m.config.Issuers, ", "), m.config.Server)
	return nil
}

func newModule(ctx context.Context, logger runtime.Logger, db *sql.DB, nk runtime.NakamaModule, initializer runtime.Initializer) (*module, error) {
	env, _ := ctx.Value(runtime.RUNTIME_CTX_ENV).(map[string]string)
	config, err := parseConfig(env)
	if err != nil {
		return nil, err
	}
	server, err := initializer.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("read Nakama's configuration: %w", err)
	}
	m := &module{
		config: config, logger: logger, db: db, nk: nk, now: time.Now, started: time.Now(),
		self: selfAddress(config.Self, server.GetSocket()), ended: newRecent[struct{}](endedKept), verdicts: newRecent[verdict](verdictsKept),
		logins: newRecent[login](loginsKept), tids: newRecent[string](loginsKept),
	}
	m.client = newClient(m.self, http.ProxyFromEnvironment)
	if m.identities, err = newIdentities(&m.config); err != nil {
		return nil, err
	}
	if err := m.openLedger(server.GetSession()); err != nil {
		return nil, err
	}
	return m, m.openSessions(server.GetSession())
}

// newClient is not http.DefaultClient, whose timeout Nakama sets for the whole process. Players' tokens, which are shown to
// this Nakama, and the server's secret go where the configuration says: by no redirect, and the tokens by no proxy.
func newClient(self string, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = func(r *http.Request) (*url.URL, error) {
		if strings.HasPrefix(r.URL.String(), self+"/") {
			return nil, nil
		}
		return proxy(r)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, Timeout: askTimeout, CheckRedirect: stay}
}

func selfAddress(configured string, socket runtime.SocketConfig) string {
	if configured != "" {
		return strings.TrimSuffix(configured, "/")
	}
	host := socket.GetAddress()
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(socket.GetPort()))
}

func (m *module) openLedger(nakama runtime.SessionConfig) (err error) {
	config := session.LedgerConfig{
		Policy:          session.StalePolicy(m.config.Stale),
		SessionLifetime: max(time.Hour, time.Duration(nakama.GetRefreshTokenExpirySec())*time.Second),
		Observe:         m.observe,
	}
	if m.config.Server == noServer {
		config.Store = session.NewMemoryStore()
	} else {
		config.Feed, err = session.NewFollower(session.FollowerConfig{
			URL: strings.TrimSuffix(m.config.Server, "/") + "/v1/events", ClientID: m.config.ClientID, ClientSecret: m.config.ClientSecret,
		})
	}
	if err != nil {
		return fmt.Errorf("sallyport_server: %w", err)
	}
	if m.ledger, err = session.NewLedger(config); err != nil {
		return err
	}
	m.registry, err = connect.NewRegistry(connect.RegistryConfig{
		Ledger: m.ledger, Stale: connect.KeepSockets,
		Routes: map[string]connect.SocketRoute{socketRoute: {Mode: connect.ReplaceOlder, Profile: connect.ProfileNakama}},
	})
	return err
}

func (m *module) observe(state session.LedgerState) {
	if state.Failing {
		m.logger.Warn("sallyport: revocations cannot be followed: %s", state.LastError)
		return
	}
	m.logger.Info("sallyport: revocations are followed")
	if m.naming != nil {
		m.naming.told.clear() // the server may have begun anew
	}
}

func (m *module) openSessions(nakama runtime.SessionConfig) (err error) {
	keys, refreshKeys := [][]byte{[]byte(nakama.GetEncryptionKey())}, [][]byte{[]byte(nakama.GetRefreshEncryptionKey())}
	for _, v := range []struct {
		verifier   **session.Verifier
		key        string
		keys, rest [][]byte
		ledger     *session.Ledger
		cache      int
	}{
		{&m.sessions, "session.encryption_key", keys, refreshKeys, m.ledger, 0},
		{&m.refreshes, "session.refresh_encryption_key", refreshKeys, keys, m.ledger, -1},
		{&m.endingSessions, "session.encryption_key", keys, refreshKeys, nil, -1},
		{&m.endingRefreshes, "session.refresh_encryption_key", refreshKeys, keys, nil, -1},
	} {
		if *v.verifier, err = session.NewNakamaVerifier(session.NakamaConfig{
			Realm: m.config.Realm, Realms: m.config.Realms, Keys: v.keys, RefreshKeys: v.rest, InsecureKeys: m.config.InsecureKeys,
			Aliases: session.AliasOptional, Ledger: v.ledger, InsecureNoLedger: v.ledger == nil, CacheEntries: v.cache,
		}); err != nil {
			return fmt.Errorf("%s: %w (or set sallyport_insecure_keys)", v.key, err)
		}
	}
	if m.seal, err = newSealer(nakama.GetEncryptionKey()); err != nil {
		return err
	}
	if m.deny, err = newDenier(m.nk, nakama, keys[0], refreshKeys[0]); err != nil {
		return err
	}
	if m.config.Server != noServer && m.config.ReportLogouts {
		m.report = newReporter(m, "logouts")
	}
	if m.config.Server != noServer && m.config.ReportPlayers {
		m.naming = newNaming(m)
	}
	return nil
}

// start makes the first contacts, for a bounded time, and goes on beside. Until the ledger has read the server's
// revocations, every sign-in is answered with 503.
func (m *module) start(ctx context.Context) {
	m.ledger.Subscribe(m.revoked)
	first, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if keys, ok := m.identities.(interface{ Refresh(context.Context) error }); ok {
		if err := keys.Refresh(first); err != nil {
			m.logger.Warn("sallyport: keys of an identity provider cannot be had yet: %v", err)
		}
	}
	if err := m.ledger.Load(first); err != nil {
		m.logger.Warn("sallyport: revocations cannot be had yet, nobody is let in before: %v", err)
	}
	go func() { _ = m.ledger.Run(ctx) }()
	if m.report != nil {
		go m.report.run(ctx)
	}
	if m.naming != nil {
		for range namingWorkers {
			go m.naming.run(ctx)
		}
	}
}

// check holds a verified session against what is revoked: by the ids of Nakama's token, and by those of the sign-in.
func (m *module) check(token *session.Session, s stamp) error {
	player := s.apply(*token)
	if err := m.ledger.CheckSession(player); err != nil {
		return err
	}
	player.ID = s.login
	return m.ledger.CheckSession(player)
}

// errUnsealed refuses a session that did not come through here, such as one from before Sallyport was installed.
var errUnsealed = &jws.Refusal{
	Check: jws.CheckPolicy, Reason: jws.WrongClaim, Claim: "vrs", Want: "a session that was made by a sign-in through Sallyport", Verified: true,
}
