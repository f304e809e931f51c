package tf

import "strings"

// Examples are the deployments that can be applied as they are.
var Examples = []string{"examples/minimal", "examples/complete"}

// Topologies and SocketPlanes are what can be combined.
var (
	Topologies   = []string{"nakama", "gate"}
	SocketPlanes = []string{"alb", "nlb"}
)

// ExampleVars are variables with which an example plans and applies. Nothing of them exists.
func ExampleVars(topology, plane string) map[string]any {
	const certificate = ":123456789012:certificate/12345678-1234-1234-1234-123456789012"
	vars := map[string]any{
		"name": "game-test", "region": "eu-central-1", "domain_name": "game.example.com",
		"topology": topology, "socket_plane": plane,
		"edge_certificate_arn":   "arn:aws:acm:us-east-1" + certificate,
		"origin_certificate_arn": "arn:aws:acm:eu-central-1" + certificate,
		"origin_secret_arn":      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:game-test/origin-AbCdEf",
		"sallyport_image":        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/sallyport@sha256:" + strings.Repeat("0", 64),
		"backend_image":          "123456789012.dkr.ecr.eu-central-1.amazonaws.com/game-test/backend@sha256:" + strings.Repeat("1", 64),
	}
	if plane == "nlb" {
		vars["origin_certificate_secret_arn"] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:game-test/certificate-AbCdEf"
	}
	return vars
}
