package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// TestConfiguration has sallyport itself check the configuration that its tasks get, and holds its table of who may pass
// against the paths that the load balancer and CloudFront let through: neither may know a path that the other does not.
func TestConfiguration(t *testing.T) {
	if tf.Real() {
		t.Skip("the configuration is the stand-in's: mocked addresses are no addresses")
	}
	sallyport := buildSallyport(t)
	tree := tf.Copy(t)
	tree.Init(t, "examples/minimal")
	for _, topology := range tf.Topologies {
		applied := tree.Clone(t).Apply(t, "examples/minimal", tf.ExampleVars(topology, "alb"))
		opened := checkConfig(t, sallyport, applied)
		var allowed []string
		paths, _ := applied.Outputs["allowed_paths"].([]any)
		for _, path := range paths {
			allowed = append(allowed, path.(string))
		}
		for _, path := range allowed {
			if !slices.Contains(opened, path) {
				t.Errorf("%s: %s has a way in, and sallyport does not know it", topology, path)
			}
		}
		for _, path := range opened {
			if !slices.Contains(allowed, path) && !slices.Contains(inside, path) {
				t.Errorf("%s: sallyport opens %s, which has no way in", topology, path)
			}
		}
	}
}

// inside are the paths that sallyport serves to what is in the VPC alone.
var inside = []string{
	"/healthcheck", "/livez", "/readyz", "/oauth2/introspect", "/oauth2/revoke", "/.well-known/oauth-authorization-server",
	"/v1/ticket/redeem", "/v1/events", "/v1/admin/revoke", "/v1/admin/cutoff", "/v1/admin/alias",
}

// checkConfig returns the paths that somebody may reach, as check-config tells them.
func checkConfig(t *testing.T, sallyport string, applied *tf.Document) []string {
	t.Helper()
	dir := t.TempDir()
	certificate(t, dir)
	config, secrets := gateContainer(t, applied)
	file := filepath.Join(dir, "sallyport.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, "/run/sallyport", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, secrets, sallyport, "keys", "new", filepath.Join(dir, "session-keys.json"))
	var paths []string
	for line := range strings.Lines(run(t, secrets, sallyport, "check-config", file)) {
		if strings.HasPrefix(line, "/") && !strings.Contains(line, " nobody") {
			paths = append(paths, strings.Fields(line)[0])
		}
	}
	return paths
}

// gateContainer is sallyport's configuration, and its secrets with values that stand for them.
func gateContainer(t *testing.T, applied *tf.Document) (config string, secrets []string) {
	t.Helper()
	for _, d := range applied.OfType("aws_ecs_task_definition") {
		var containers []struct {
			Name                 string
			Environment, Secrets []struct{ Name, Value string }
		}
		if err := json.Unmarshal([]byte(d.Text("container_definitions")), &containers); err != nil {
			t.Fatal(err)
		}
		for _, c := range containers {
			if c.Name != "sallyport" {
				continue
			}
			for _, s := range c.Secrets {
				secrets = append(secrets, s.Name+"=stands-for-"+s.Name+"-"+rand.Text())
			}
			for _, v := range c.Environment {
				if v.Name == "SALLYPORT_CONFIG" {
					config = v.Value
				}
			}
		}
	}
	if config == "" {
		t.Fatal("no task of sallyport has a configuration")
	}
	return config, secrets
}

func run(t *testing.T, env []string, command string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(command), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func buildSallyport(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sallyport")
	cmd := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build", "-o", binary}, tf.GoBuild, []string{"./cmd/sallyport"})...)
	cmd.Dir = filepath.Join(tf.Root(), "..", "..", "server")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build sallyport: %v\n%s", err, out)
	}
	return binary
}

// certificate writes what /start makes in a task: tls.crt and tls.key.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"sallyport.internal"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: der}, "tls.key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
