package main

import (
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

var (
	//go:embed testdata/nginx.conf
	nginxConf string
	//go:embed testdata/haproxy.cfg
	haproxyConf string
	//go:embed testdata/Caddyfile
	caddyConf string
)

// setup is one way from the load generator to the backend.
type setup struct {
	name    string
	address string
	// processes are those whose cost counts.
	processes []*process
}

// field is everything that runs meanwhile.
type field struct {
	options   *options
	folder    string
	self      string
	backend   string
	profiles  string // the gate's address for them, "" for none
	processes []*process

	http, sockets, connects []setup
}

// The names of the setups that promises are about.
const (
	direct  = "direct"
	gate    = "Sallyport gate"
	nar     = "nginx + auth_request"
	haproxy = "HAProxy"
	checked = "HAProxy + jwt_verify"
)

// newField starts the backend and every proxy.
func newField(o *options, folder string) (f *field, err error) {
	f = &field{options: o, folder: folder}
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	if f.self, err = os.Executable(); err != nil {
		return f, err
	}
	var a [10]string
	for i := range a {
		if a[i], err = freeAddress(); err != nil {
			return f, err
		}
	}
	f.backend = a[0]
	if o.profile != "" {
		f.profiles = a[9]
	}
	addresses := struct{ Folder, Backend, Verifier, Checked, Open, Secret string }{folder, a[0], a[1], a[2], a[3], secret}
	steps := make(map[string]*process)
	add := func(name, address string, command ...string) {
		if err != nil {
			return
		}
		if steps[name], err = start(name, folder, address, command...); err == nil {
			f.processes = append(f.processes, steps[name])
		}
	}
	configured := func(file, source, open, closed string) string {
		addresses.Open, addresses.Checked = open, closed
		path := filepath.Join(folder, file)
		if err == nil {
			err = writeConfig(path, source, addresses)
		}
		return path
	}
	add("backend", a[0], f.self, "role", "backend", a[0])
	add("verifier", a[1], f.self, "role", "verifier", a[1])
	add("gate", a[2], f.self, "role", "gate", a[2], a[0], f.profiles, strconv.Itoa(o.cached))
	add("nginx", a[3], "nginx", "-p", folder, "-c", configured("nginx.conf", nginxConf, a[3], a[4]), "-e", "stderr")
	add("haproxy", a[5], "haproxy", "-db", "-f", configured("haproxy.cfg", haproxyConf, a[5], a[6]))
	add("caddy", a[7], "caddy", "run", "--config", configured("Caddyfile", caddyConf, a[7], a[8]), "--adapter", "caddyfile")
	proxied := []string{"", ""}
	for i := range proxied {
		if err == nil {
			proxied[i], err = freeAddress()
		}
	}
	add("proxy", proxied[1], f.self, "role", "proxy", proxied[0], proxied[1], a[0])
	if err != nil {
		return f, err
	}
	f.arrange(steps, a[:], proxied)
	return f, nil
}

// arrange names the ways from the load generator to the backend: which address, and whose cost.
func (f *field) arrange(steps map[string]*process, a, proxied []string) {
	one := func(name string) []*process { return []*process{steps[name]} }
	with := func(name string) []*process { return []*process{steps[name], steps["verifier"]} }
	f.http = []setup{
		{direct, a[0], nil},
		{gate, a[2], one("gate")},
		{nar, a[4], with("nginx")},
		{checked, a[6], one("haproxy")},
		{"Caddy + forward_auth", a[8], with("caddy")},
		{"httputil.ReverseProxy + connect.Require", proxied[0], one("proxy")},
	}
	f.sockets = []setup{
		{direct, a[0], nil},
		{gate, a[2], one("gate")},
		{haproxy, a[5], one("haproxy")},
		{"nginx", a[3], one("nginx")},
		{"Caddy", a[7], one("caddy")},
		{"httputil.ReverseProxy", proxied[1], one("proxy")},
	}
	f.connects = append(f.sockets[:len(f.sockets):len(f.sockets)], setup{checked, a[6], one("haproxy")})
}

func writeConfig(path, source string, values any) error {
	t, err := template.New(filepath.Base(path)).Parse(source)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, values); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

func (f *field) stop() {
	for _, p := range f.processes {
		p.stop()
	}
}

// profile has the gate write a profile while it works, and returns a function that waits for it.
func (f *field) profile(s *setup, kind, name string) (wait func()) {
	if f.profiles == "" || s.name != gate {
		return func() {}
	}
	done := make(chan error, 1)
	go func() { done <- f.fetch(kind, name) }()
	return func() {
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "edge: no profile:", err)
		}
	}
}

func (f *field) fetch(kind, name string) error {
	answer, err := http.Get("http://" + f.profiles + kind)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := os.MkdirAll(f.options.profile, 0o700); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(f.options.profile, name))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, answer.Body)
	return err
}
