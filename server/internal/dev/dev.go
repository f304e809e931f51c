// Package dev is sallyport dev: an identity provider, the token API, Photon's endpoint, a demonstration route, and a gate before
// a game server that only gives back what it is sent; all on this machine, for trying things out.
//
//	err := dev.Run(ctx, dev.Options{Out: os.Stdout, Log: os.Stderr})
//
// It is the one package outside of tests that links the development identity provider, which mints tokens for anyone:
// nothing that a configuration file can say leads here. What it serves is an ordinary configuration, run by the same code
// as sallyport serve.
package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/logging"
)

// Default addresses. If one is taken, and was not asked for, a free port is taken instead.
const (
	DefaultListen     = "127.0.0.1:8080"
	DefaultGateListen = "127.0.0.1:7000"
	DefaultIDPListen  = "127.0.0.1:9229"
)

// What everything is called.
const (
	poolID   = "eu-central-1_Arena"
	clientID = "game"
	realm    = "players"
	audience = "demo"
	username = "alice"
	callerID = "operator"
)

// Options say where to listen and what to keep.
type Options struct {
	// Listen is the address of the token API, GateListen that of the gate, and IDPListen that of the identity provider: loopback
	// addresses. Empty takes the default, or a free port if that is taken.
	Listen, GateListen, IDPListen string
	// Data is a folder that keeps keys, users and the password over a restart. Empty keeps nothing.
	Data string
	// Out is told what was started and what to try. Log takes the log.
	Out, Log io.Writer
	// Program is how to call this program in the commands to try.
	Program string
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// Run serves until ctx ends.
func Run(ctx context.Context, o Options) (err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &world{options: o}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.listen(); err != nil {
		return err
	}
	if err := w.openFolder(); err != nil {
		return err
	}
	if err := w.makeProvider(); err != nil {
		return err
	}
	file, err := w.configuration()
	if err != nil {
		return err
	}
	secrets := new(logging.Secrets)
	secrets.Set(w.password, w.callerSecret)
	w.log = logging.New(o.Log, slog.LevelInfo, secrets)
	return w.serve(ctx, func(ctx context.Context) (*app.App, error) {
		return app.New(ctx, file, app.Options{Logger: w.log, Secrets: secrets, Routes: routes, Now: o.Now})
	})
}

// world is everything that runs.
type world struct {
	options      Options
	api, gate    net.Listener
	idp, game    net.Listener
	folder       string
	temporary    bool
	password     string
	callerSecret string
	photonSecret string
	provider     *devidp.Provider
	log          *slog.Logger
}

func (w *world) apiURL() string { return "http://" + w.api.Addr().String() }
func (w *world) idpURL() string { return "http://" + w.idp.Addr().String() }

func (w *world) gateURL() string { return "http://" + w.gate.Addr().String() }

func (w *world) listen() (err error) {
	if w.api, err = listen(w.options.Listen, DefaultListen); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if w.idp, err = listen(w.options.IDPListen, DefaultIDPListen); err != nil {
		return fmt.Errorf("--idp-listen: %w", err)
	}
	if w.gate, err = listen(w.options.GateListen, DefaultGateListen); err != nil {
		return fmt.Errorf("--gate-listen: %w", err)
	}
	w.game, err = net.Listen("tcp", "127.0.0.1:0")
	return err
}

// listen listens on a loopback address: that which was asked for, or the usual one, or a free one.
func listen(asked, usual string) (net.Listener, error) {
	if asked != "" {
		host, _, err := net.SplitHostPort(asked)
		if err != nil {
			return nil, errors.New("want HOST:PORT, such as " + usual)
		}
		if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
			return nil, errors.New("want a loopback address, such as " + usual + ": the identity provider mints tokens for anyone who reaches it")
		}
		return net.Listen("tcp", asked)
	}
	if listener, err := net.Listen("tcp", usual); err == nil {
		return listener, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

func (w *world) makeProvider() (err error) {
	c := devidp.Config{
		Endpoint: w.idpURL(), UserPoolID: poolID, Clients: []devidp.Client{{ID: clientID}},
		Users:  []devidp.User{{Username: username, Password: w.password, Email: username + "@example.com", Groups: []string{"testers"}}},
		OnCode: w.tellCode, Now: w.options.Now,
	}
	if !w.temporary {
		c.File = w.path("devidp.json")
	}
	w.provider, err = devidp.New(c)
	return err
}

// tellCode stands for the e-mail that Cognito would send.
func (w *world) tellCode(code devidp.Code) {
	fmt.Fprintf(w.options.Out, "a code for %s (%s): %s\n", code.Username, code.Purpose, code.Code)
}

// serve runs the servers until ctx ends or one fails.
func (w *world) serve(ctx context.Context, newApp func(context.Context) (*app.App, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	idp, games := app.NewHTTPServer(w.provider, w.log), app.NewHTTPServer(http.HandlerFunc(game), w.log)
	served := make(chan error, 3)
	go func() { served <- idp.Serve(w.idp) }()
	defer idp.Close()
	go func() { served <- games.Serve(w.game) }()
	defer games.Close()
	a, err := newApp(ctx)
	if err != nil {
		return err
	}
	defer a.Close()
	go func() { served <- a.Serve(ctx, app.Listeners{API: w.api, Gate: w.gate}) }()
	w.introduce()
	err = <-served
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (w *world) close() error {
	for _, listener := range []net.Listener{w.api, w.gate, w.idp, w.game} {
		if listener != nil {
			_ = listener.Close() // the servers may have closed it already
		}
	}
	if w.temporary {
		return os.RemoveAll(w.folder)
	}
	return nil
}
