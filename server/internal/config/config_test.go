package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

// least is the smallest configuration that works.
const least = `issuer: https://auth.example.com
store: {type: memory}
issuers:
  - type: cognito
    realm: players
    user_pool_id: eu-central-1_Example12
    client_ids: [game]
    uses: [access]
sessions:
  audiences: [{name: arena}]
  key_file: keys.json
`

// gate is a gate with one server, and routed one with one route.
func gate(server string) string {
	return "gate:\n  listen: \":1\"\n  stale_sockets: keep\n  servers: [" + server + "]\n"
}

func routed(route string) string {
	return "gate:\n  listen: \":1\"\n  stale_sockets: keep\n  routes: [" + route + "]\n"
}

func parse(text string) (*config.File, error) {
	return config.Parse(strictyaml.Source{Name: "c.yaml", Data: []byte(text), Env: env})
}

func env(name string) (string, bool) {
	value, ok := map[string]string{"KEY": "an encryption key of thirty-two b", "SHORT": "hidden"}[name]
	return value, ok
}

func TestLeast(t *testing.T) {
	f, err := parse(least)
	if err != nil {
		t.Fatal(err)
	}
	if f.Listen != "127.0.0.1:8080" || time.Duration(f.Sessions.TokenLifetime) != 2*time.Hour ||
		time.Duration(f.Revocation.Grace) != 30*time.Second || time.Duration(f.Tickets.Lifetime) != 30*time.Second {
		t.Errorf("defaults: %+v", f.Config)
	}
	if got := f.Realms(); len(got) != 1 || got[0] != "players" {
		t.Errorf("realms %v", got)
	}
}

// TestFull reads a file with every preset and every part.
func TestFull(t *testing.T) {
	f, err := config.Load(filepath.Join("testdata", "full.yaml"), env)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, i := range f.Issuers {
		types = append(types, i.Type)
	}
	if all := new(config.Issuer).Types(); !slices.Equal(types, all) {
		t.Errorf("the file has issuers %v, want every preset %v", types, all)
	}
	if got := f.Secrets(); !slices.Contains(got, "an encryption key of thirty-two b") || len(got) != 11 {
		t.Errorf("%d secrets", len(got))
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"nothing", least, "", "c.yaml:1:1: required field \"issuer\" is missing\nc.yaml:1:1: required field \"store\" is missing\n" +
			"c.yaml:1:1: required field \"issuers\" is missing\nc.yaml:1:1: neither sessions nor nakama is there: say who makes the session tokens"},
		{"http issuer", "https://auth", "http://auth", "c.yaml:1:9: issuer: want https; http will do on a loopback address alone"},
		{"issuer with a path", ".com\n", ".com/\n", "c.yaml:1:9: issuer: want a URL without a path and without a slash at the end"},
		{"no URL", "https://auth.example.com", "auth.example.com", "c.yaml:1:9: issuer: want a URL such as https://auth.example.com"},
		{"store left out", "store: {type: memory}\n", "", `c.yaml:1:1: required field "store" is missing`},
		{"store unknown", "memory", "sqlite", "c.yaml:2:15: store.type: not a valid word; want one of memory, bolt, redis"},
		{"store misspelt", "memory", "reddis", `c.yaml:2:15: store.type: "reddis" is not a valid word; did you mean "redis"? (want one of memory, bolt, redis)`},
		{"store without type", "{type: memory}", "{file: a}", `c.yaml:2:8: store: has no field "type"; want one of memory, bolt, redis`},
		{"field of another store", "{type: memory}", "{type: memory, file: a}", `c.yaml:2:23: store: unknown field "file"; want one of type`},
		{"bolt without file", "{type: memory}", "{type: bolt}", `c.yaml:2:8: store: required field "file" is missing`},
		{"bolt's file misspelt", "{type: memory}", "{type: bolt, flie: a}", `c.yaml:2:8: store: required field "file" is missing` + "\n" + `c.yaml:2:21: store: unknown field "flie"; did you mean "file"?`},
		{"redis without addresses", "{type: memory}", "{type: redis}", `c.yaml:2:8: store: required field "addresses" is missing`},
		{"redis far away without TLS", "{type: memory}", "{type: redis, addresses: [\"10.0.0.1:6379\"]}", `c.yaml:2:34: store.addresses[0]: is not on this machine and there is no TLS: set tls ("tls: {}" trusts the system's authorities), or insecure_plaintext: true`},
		{"redis without port", "{type: memory}", "{type: redis, addresses: [localhost]}", "c.yaml:2:34: store.addresses[0]: want HOST:PORT, such as redis.example.com:6379"},
		{"redis twice", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\", \"[::1]:2\"]}", "c.yaml:2:33: store.addresses: has 2 entries, want one for mode: single; set mode to sentinel or cluster"},
		{"sentinel without name", "{type: memory}", "{type: redis, mode: sentinel, addresses: [\"[::1]:1\"]}", "c.yaml:2:8: store: master_name is missing: the name under which the sentinels know the master"},
		{"master's name without sentinels", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], master_name: m}", "c.yaml:2:59: store.master_name: is for mode: sentinel alone"},
		{"redis mode misspelt", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], mode: clutser}", `c.yaml:2:52: store.mode: "clutser" is not a valid word; did you mean "cluster"? (want one of single, sentinel, cluster)`},
		{"database of a cluster", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], mode: cluster, database: 1}", "c.yaml:2:71: store.database: want 0: a cluster has no other database"},
		{"redis namespace", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], namespace: \"a b\"}", `c.yaml:2:57: store.namespace: want letters, digits, "-", "_" and "."`},
		{"redis timeout", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], timeout: 5s}", "c.yaml:2:55: store.timeout: want 50ms to 4s"},
		{"redis user without password", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], username: a}", "c.yaml:2:56: store.username: needs a password: set password"},
		{"redis replicas", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], replicas: -1}", "c.yaml:2:56: store.replicas: want no negative number"},
		{"half a certificate", "{type: memory}", "{type: redis, addresses: [\"[::1]:1\"], tls: {certificate: a}}", "c.yaml:2:51: store.tls: has one of certificate and key: set both, or none"},
		{"preset misspelt", "type: cognito", "type: congito", `c.yaml:4:11: issuers[0].type: "congito" is not a valid word; did you mean "cognito"? (want one of cognito, clerk, oidc, apple, auth0, discord, epic-account, epic-connect, firebase, google, microsoft, supabase, unity)`},
		{"development issuer", "type: cognito", "type: devidp", `c.yaml:4:11: issuers[0].type: not a valid word; want one of cognito, clerk, oidc, apple, auth0, discord, epic-account, epic-connect, firebase, google, microsoft, supabase, unity`},
		{"development part", "store:", "dev: true\nstore:", `c.yaml:2:1: unknown field "dev"; want one of issuer, listen,`},
		{"preset's field", "user_pool_id: eu-central-1_Example12", "user_pool_id: Example12", "c.yaml:6:19: issuers[0].user_pool_id: must be a pool id such as \"eu-central-1_Example12\""},
		{"preset's field missing", "    client_ids: [game]\n", "", `c.yaml:4:5: issuers[0]: required field "client_ids" is missing`},
		{"preset's field of another", "client_ids", "authorized_parties", "c.yaml:4:5: issuers[0]: required field \"client_ids\" is missing\n" +
			"c.yaml:7:5: issuers[0]: unknown field \"authorized_parties\"; want one of type, realm, cache_entries, user_pool_id, region, regions, client_ids, uses, any_group, scopes, endpoint"},
		{"realm", "realm: players", "realm: all players", "c.yaml:5:12: issuers[0].realm: must name the user base with 1 to 64 letters, digits, '.', '_' or '-'"},
		{"use", "uses: [access]", "uses: [acess]", `c.yaml:8:12: issuers[0].uses[0]: "acess" is not a valid word; did you mean "access"? (want one of access, id)`},
		{"key file missing", "  key_file: keys.json\n", "", "c.yaml:10:3: sessions: key_file is missing: make one with: sallyport keys new FILE"},
		{"audience twice", "[{name: arena}]", "[{name: arena}, {name: arena}]", "c.yaml:10:37: sessions.audiences[1].name: is the same as that of entry 0 of the list"},
		{"secret too short", "{name: arena}", "{name: arena, secret: \"${SHORT}\"}", "c.yaml:10:37: sessions.audiences[0].secret: has 6 bytes, want at least 32; make one with: openssl rand -hex 32 (or set insecure_keys: true)"},
		{"lifetime in numbers", "  key_file", "  token_lifetime: 3600\n  key_file", "c.yaml:11:19: sessions.token_lifetime: want a duration such as 10s, 15m, 2h or 30d, got a number"},
		{"lifetime", "  key_file", "  token_lifetime: an hour\n  key_file", "c.yaml:11:19: sessions.token_lifetime: want a duration such as 10s, 15m, 2h or 30d"},
		{"lifetime too long", "  key_file", "  token_lifetime: 25h\n  key_file", "c.yaml:11:19: sessions.token_lifetime: want 1s to 1d"},
		{"lifetime zero", "  key_file", "  token_lifetime: 0s\n  key_file", "c.yaml:11:19: sessions.token_lifetime: want 1s to 1d"},
		{"listen", "store:", "listen: \"8080\"\nstore:", "c.yaml:2:9: listen: want HOST:PORT, such as 127.0.0.1:8080 or :8080"},
		{"metrics' listen", "store:", "metrics: {listen: \"9464\"}\nstore:", "c.yaml:2:19: metrics.listen: want HOST:PORT, such as 127.0.0.1:8080 or :8080"},
		{"two on one address", "store:", "metrics: {listen: \"127.0.0.1:8080\"}\nstore:", "c.yaml:2:19: metrics.listen: is the same as listen: each needs an address of its own"},
		{"metrics misspelt", "store:", "metrics: {lisen: \":9464\"}\nstore:", "c.yaml:2:10: metrics: required field \"listen\" is missing\nc.yaml:2:11: metrics: unknown field \"lisen\"; did you mean \"listen\"?"},
		{"no YAML", "store:", "listen: a: b\nstore:", "c.yaml:2:9: not YAML: mapping value is not allowed in this context"},
		{"Nakama's default", "sessions:", "nakama:\n  realm: players\n  keys: [defaultencryptionkey]\n  aliases: required\nsessions:", "c.yaml:11:10: nakama.keys[0]: is the default that a product ships with, so everybody knows it; make your own, or set insecure_keys: true"},
		{"Nakama's refresh key", "sessions:", "nakama:\n  realm: players\n  keys: [\"${KEY}\"]\n  refresh_keys: [\"${KEY}\"]\n  aliases: required\nsessions:", "c.yaml:11:10: nakama.keys[0]: is one of refresh_keys too: Nakama's refresh tokens would be taken as session tokens"},
		{"Nakama without a decision", "sessions:", "nakama:\n  realm: players\n  keys: [\"${KEY}\"]\nsessions:", `c.yaml:10:3: nakama: required field "aliases" is missing`},
		{"caller without secret", "sessions:", "callers: [{id: a, may: [ban]}]\nsessions:", "c.yaml:9:11: callers[0]: has neither secrets nor secret_hashes: nobody could be this caller"},
		{"caller's permission", "sessions:", "callers: [{id: a, secrets: [\"${KEY}\"], may: [bam]}]\nsessions:", `c.yaml:9:46: callers[0].may[0]: "bam" is not a valid word; did you mean "ban"? (want one of introspect, redeem, revoke, ban, follow, sockets, alias)`},
		{"caller's hash", "sessions:", "callers: [{id: a, secret_hashes: [abc], may: [ban]}]\nsessions:", "c.yaml:9:35: callers[0].secret_hashes[0]: want a SHA-256 digest, 64 hexadecimal digits"},
		{"origin", "sessions:", "cors: {origins: [\"https://play.example.com/\"]}\nsessions:", "c.yaml:9:18: cors.origins[0]: want an origin such as https://play.example.com, without a path"},
		{"Photon without secret", "sessions:", "photon: {tokens: session}\nsessions:", "c.yaml:9:9: photon: secrets is missing: set the dashboard's secret (or insecure_no_secret: true)"},
		{"gate that lets nothing through", "sessions:", "gate: {listen: \":1\", stale_sockets: keep}\nsessions:", "c.yaml:9:7: gate: has neither servers nor routes: nothing would get through"},
		{"gate without decision", "sessions:", "gate: {listen: \":1\", servers: [{type: plain, backend: \"http://a:1\", path: /}]}\nsessions:", `c.yaml:9:7: gate: required field "stale_sockets" is missing`},
		{"gate's field misspelt", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /}") + "  trusted_proxy: [a]\nsessions:", `c.yaml:13:3: gate: unknown field "trusted_proxy"; did you mean "trusted_proxies"?`},
		{"gate's server misspelt", "sessions:", gate("{type: nakma, backend: \"http://a:1\"}") + "sessions:", `c.yaml:12:20: gate.servers[0].type: "nakma" is not a valid word; did you mean "nakama"? (want one of nakama, colyseus, plain, reference-open)`},
		{"gate's server without a backend", "sessions:", gate("{type: colyseus}") + "sessions:", `c.yaml:12:13: gate.servers[0]: required field "backend" is missing`},
		{"gate's backend with a path", "sessions:", gate("{type: colyseus, backend: \"http://a:1/x\"}") + "sessions:", "c.yaml:12:39: gate.servers[0].backend: want http://HOST:PORT without a path, such as http://127.0.0.1:7350"},
		{"Nakama's routes without its keys", "sessions:", gate("{type: nakama, backend: \"http://a:1\"}") + "sessions:", "c.yaml:12:13: gate.servers[0]: needs the section nakama, which verifies the session tokens that Nakama makes"},
		{"Nakama's routes without its refresh keys", "sessions:", "nakama: {realm: players, keys: [\"${KEY}\"], aliases: required}\n" + gate("{type: nakama, backend: \"http://a:1\"}") + "sessions:", "c.yaml:13:13: gate.servers[0]: needs refresh_keys in the section nakama"},
		{"socket's mode", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /, socket: {mode: replace_oldest}}") + "sessions:", `c.yaml:12:74: gate.servers[0].socket.mode: "replace_oldest" is not a valid word; did you mean "replace_older"? (want one of replace_older, refuse_newer)`},
		{"socket's ping", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /, socket: {ping: 10ms}}") + "sessions:", "c.yaml:12:74: gate.servers[0].socket.ping: want 1s to 5m"},
		{"socket's origin", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /, socket: {origins: [play.example.com]}}") + "sessions:", "c.yaml:12:78: gate.servers[0].socket.origins[0]: want an origin such as https://play.example.com, without a path"},
		{"path without a slash", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: ws}") + "sessions:", "c.yaml:12:56: gate.servers[0].path: want a path that begins with a slash"},
		{"proxies", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /}") + "  trusted_proxies: [10.0.0.1/8]\nsessions:", "c.yaml:13:21: gate.trusted_proxies[0]: want an address or a range, such as 10.1.2.3 or 10.0.0.0/8"},
		{"origin secret", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /}") + "  origin_secret: {values: [\"${SHORT}\"]}\nsessions:", "c.yaml:13:28: gate.origin_secret.values[0]: has 6 bytes, want at least 32"},
		{"drain", "sessions:", gate("{type: plain, backend: \"http://a:1\", path: /}") + "  drain_window: 2h\nsessions:", "c.yaml:13:17: gate.drain_window: want 0s to 1h"},
		{"route for nobody in particular", "sessions:", routed("{name: a, path: /a, methods: [GET], backend: \"http://a:1\"}") + "sessions:", `c.yaml:12:12: gate.routes[0]: required field "who" is missing`},
		{"route for whom", "sessions:", routed("{name: a, path: /a, methods: [GET], backend: \"http://a:1\", who: [sesion]}") + "sessions:", `c.yaml:12:77: gate.routes[0].who[0]: "sesion" is not a valid word; did you mean "session"? (want one of public, identity, session, ticket, nobody)`},
		{"route to nowhere", "sessions:", routed("{name: a, path: /a, methods: [GET], who: [session]}") + "sessions:", "c.yaml:12:12: gate.routes[0]: backend is missing: the server behind this route"},
		{"route for nobody and others", "sessions:", routed("{name: a, path: /a, methods: [GET], who: [nobody, session]}") + "sessions:", "c.yaml:12:53: gate.routes[0].who: has nobody beside others: it stands alone"},
		{"route's method", "sessions:", routed("{name: a, path: /a, methods: [get], backend: \"http://a:1\", who: [session]}") + "sessions:", "c.yaml:12:42: gate.routes[0].methods[0]: want a method in capitals, such as GET"},
		{"route twice", "sessions:", routed("{name: a, path: /a, methods: [GET], who: [nobody]}, {name: a, path: /b, methods: [GET], who: [nobody]}") + "sessions:", "c.yaml:12:71: gate.routes[1].name: is the same as that of entry 0 of the list"},
		{"route's socket without origins", "sessions:", routed("{name: a, path: /a, methods: [GET], backend: \"http://a:1\", who: [session], socket: {profile: plain}}") + "sessions:", "c.yaml:12:95: gate.routes[0].socket: wants one of origins and any_origin: true, which says which web pages may open a socket"},
		{"two issuers for one iss", "sessions:", "  - type: cognito\n    realm: others\n    user_pool_id: eu-central-1_Example12\n    client_ids: [game]\n    uses: [id]\nsessions:", "c.yaml:9:5: issuers[1]: "},
		{"Clerk without a decision", "sessions:", "  - type: clerk\n    realm: players\n    issuer: https://clerk.example.com\nsessions:", "c.yaml:9:5: issuers[1].authorized_parties: is empty: list the origins of your pages, or set any_authorized_party"},
		{"webhook of nobody", "sessions:", "clerk_webhooks: [{issuer: https://clerk.example.com, secrets: [\"${KEY}\"]}]\nsessions:", "c.yaml:9:27: clerk_webhooks[0].issuer: is not the issuer of any issuer of type clerk"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(least, test.from, test.to, 1)
			if text == least {
				t.Fatal("the case changes nothing")
			}
			_, err := parse(text)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("a secret is in %v", err)
			}
		})
	}
}

// TestInsecureKeys checks that weak keys need their flag and that the flag is enough.
func TestInsecureKeys(t *testing.T) {
	text := least + "nakama:\n  realm: players\n  keys: [defaultencryptionkey]\n  aliases: required\n"
	if _, err := parse(text); err == nil {
		t.Error("the default key passed without the flag")
	}
	if _, err := parse(text + "insecure_keys: true\n"); err != nil {
		t.Error(err)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	f, err := config.Load(filepath.Join("testdata", "full.yaml"), env)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(f.Config)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "secret", f.Nakama.Keys[0])
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", f.Config, f.Nakama, *f.Nakama, f.Nakama.Keys), string(asJSON), logged.String()} {
		for _, secret := range f.Secrets() {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is in %s", text)
			}
		}
	}
}

// TestManual checks that the manual says something of every field, and in the file's own words.
func TestManual(t *testing.T) {
	manual, err := config.Manual()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- `issuer`: text, required.\n  This server's own URL",
		"## sessions.audiences[]",
		"## issuers[] with type: epic-connect",
		"- `type: unity`, required.",
		"- `realm`: text, required.\n  Your name for this user base",
		"- `grace`: duration, default `30s`.",
	} {
		if !strings.Contains(manual, want) {
			t.Errorf("the manual lacks %q", want)
		}
	}
	published, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil || string(published) != manual {
		t.Errorf("docs/configuration.md is not the manual of today; write it with: sallyport config-doc > docs/configuration.md (error %v)", err)
	}
	lines := strings.Split(manual, "\n")
	for i, line := range lines[:len(lines)-1] {
		if strings.HasPrefix(line, "- `") && !strings.HasPrefix(line, "- `type: ") && strings.TrimSpace(lines[i+1]) == "" {
			t.Errorf("the manual says nothing of %s", line)
		}
	}
}

func FuzzConfig(f *testing.F) {
	full, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(full))
	f.Add(least)
	f.Add("issuers: [{type: clerk, realm: a}]\ncallers: [{}]\nphoton: {}\nnakama: {}\nverify: {}\n")
	f.Add("a: &a [*a]\n---\n? {b: c}\n: !!binary x\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parse(text)
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if err == nil {
			return
		}
		for _, p := range err.(strictyaml.Problems) {
			if p.Line < 1 || p.Column < 1 || p.Text == "" {
				t.Errorf("no place or no text: %+v", p)
			}
		}
	})
}
