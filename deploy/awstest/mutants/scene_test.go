package mutants

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/deploy/awstest/checks"
	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// scene is a module with variables, and what its state must be.
type scene struct {
	module string
	vars   map[string]any
	check  func(*tf.Document) []checks.Finding
}

const account = "123456789012"

var scenes = map[string]scene{
	"nakama-alb": deployment("nakama", "alb"),
	"nakama-nlb": deployment("nakama", "nlb"),
	"gate-alb":   deployment("gate", "alb"),
	"gate-nlb":   deployment("gate", "nlb"),
	"bootstrap": {"bootstrap", map[string]any{
		"name": "game-test", "region": "us-east-1", "github_repository": "studio/game",
	}, checks.Bootstrap},
}

func deployment(topology, sockets string) scene {
	image := func(name string) string {
		return account + ".dkr.ecr.us-east-1.amazonaws.com/game-test/" + name + "@sha256:" + strings.Repeat("0123456789abcdef", 4)
	}
	certificate := "arn:aws:acm:us-east-1:" + account + ":certificate/12345678-1234-1234-1234-123456789012"
	secret := "arn:aws:secretsmanager:us-east-1:" + account + ":secret:game/"
	vars := map[string]any{
		"name": "game-test", "topology": topology, "socket_plane": sockets, "domain_name": "game.example.com",
		"edge_certificate_arn": certificate, "origin_certificate_arn": certificate, "origin_secret_arn": secret + "origin-AbCdEf",
		"sallyport_image": image("sallyport"), "backend_image": image("backend"), "alarm_emails": []string{"ops@example.com"},
	}
	if sockets == "nlb" {
		vars["origin_certificate_secret_arn"] = secret + "certificate-AbCdEf"
	}
	want := checks.Want{Paths: checks.NakamaPaths, SocketPaths: checks.SocketPaths, Sockets: sockets}
	if topology == "gate" {
		want.Paths, want.NoDatabase = checks.GatePaths, true
	}
	return scene{"modules/sallyport", vars, func(d *tf.Document) []checks.Finding { return checks.Deployment(d, want) }}
}

func TestNothingIsFoundInWhatIsMeant(t *testing.T) {
	tree := tf.Copy(t)
	for _, module := range []string{"modules/sallyport", "bootstrap"} {
		tree.Init(t, module)
	}
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range s.check(tree.Clone(t).Apply(t, s.module, s.vars)) {
				t.Error(f)
			}
		})
	}
}
