package docker

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// filled is local/env.example with every line filled in.
var filled = []string{
	"COGNITO_USER_POOL_ID=eu-central-1_Example12", "COGNITO_CLIENT_ID=game", "POSTGRES_PASSWORD=p",
	"NAKAMA_SESSION_KEY=0123456789abcdef0123456789abcdef-session", "NAKAMA_REFRESH_KEY=0123456789abcdef0123456789abcdef-refresh",
	"NAKAMA_SERVER_KEY=k", "NAKAMA_HTTP_KEY=h", "NAKAMA_CONSOLE_KEY=c", "NAKAMA_CONSOLE_PASSWORD=w",
	"NAKAMA_CALLER_SECRET=0123456789abcdef0123456789abcdef-caller",
}

func load(t *testing.T, env []string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithEnv(env), cli.WithName("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

func TestCompose(t *testing.T) {
	p, err := load(t, filled)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"nakama", "postgres", "redis", "sallyport", "tables"}; !slices.Equal(p.ServiceNames(), want) {
		t.Errorf("services %q, want %q", p.ServiceNames(), want)
	}
	for _, s := range p.Services {
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", s.Name)
		}
		if s.Name != "postgres" && (!s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"})) {
			t.Errorf("%s can write to its image, or has capabilities", s.Name)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is published on %q", s.Name, port.HostIP)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(s.Build.Context + "/" + s.Build.Dockerfile); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
	if mode := p.Services["nakama"].NetworkMode; mode != "service:sallyport" || len(p.Services["nakama"].Ports) > 0 {
		t.Errorf("nakama's network is %q: it is to be reached through sallyport alone", mode)
	}
}

func TestComposeWantsEveryLineOfTheExample(t *testing.T) {
	example, err := os.ReadFile("local/env.example")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range filled {
		name, _, _ := strings.Cut(line, "=")
		if !strings.Contains(string(example), "\n"+name+"=\n") {
			t.Errorf("local/env.example does not have %s", name)
		}
		if _, err := load(t, slices.Delete(slices.Clone(filled), i, i+1)); err == nil {
			t.Errorf("without %s there is no error", name)
		}
	}
}
