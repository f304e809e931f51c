package checks

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// balancerChecks are those of the load balancers.
var balancerChecks = []check{
	{"internal-balancer", internalBalancer},
	{"header-hygiene", headerHygiene},
	{"listener-default", listenerDefault},
	{"listener-tls", listenerTLS},
	{"rule-secret", ruleSecret},
	{"rule-paths", rulePaths},
	{"target-tls", targetTLS},
	{"drain", drain},
}

func internalBalancer(s *scene) {
	s.each("aws_lb", func(r tf.Resource) {
		s.is(r, "internal", "true")
		if len(texts(r, "security_groups")) == 0 {
			s.report(r, "has no security group")
		}
	})
}

func headerHygiene(s *scene) {
	s.each("aws_lb", func(r tf.Resource) {
		if r.Text("load_balancer_type") == "application" {
			s.is(r, "drop_invalid_header_fields", "true")
			s.is(r, "desync_mitigation_mode", "strictest", "defensive")
		}
	})
}

// listenerDefault wants 403 from every listener that understands HTTP. One that does not (the NLB's) can only forward: sallyport
// behind it checks everything.
func listenerDefault(s *scene) {
	s.each("aws_lb_listener", func(r tf.Resource) {
		if r.Text("protocol") == "TCP" && s.want.Sockets == "nlb" {
			return
		}
		s.is(r, "default_action.0.type", "fixed-response")
		s.is(r, "default_action.0.fixed_response.0.status_code", "403")
	})
}

func listenerTLS(s *scene) {
	s.each("aws_lb_listener", func(r tf.Resource) {
		if r.Text("protocol") == "TCP" && s.want.Sockets == "nlb" {
			return
		}
		s.is(r, "protocol", "HTTPS")
		if !strings.HasPrefix(r.Text("ssl_policy"), "ELBSecurityPolicy-TLS13-1-2-") && !strings.HasPrefix(r.Text("ssl_policy"), "ELBSecurityPolicy-TLS13-1-3-") {
			s.report(r, "takes the protocols of %s; want TLS 1.2 and later", r.Text("ssl_policy"))
		}
	})
}

// ruleSecret wants the origin secret in every rule, the current value and the previous one, so that a rotation has no gap.
func ruleSecret(s *scene) {
	s.each("aws_lb_listener_rule", func(r tf.Resource) {
		for _, c := range list(r, "condition") {
			if c.Text("http_header.0.http_header_name") != "X-CloudFront-Secret" {
				continue
			}
			if values := texts(c, "http_header.0.values"); len(values) != 2 {
				s.report(r, "takes %d values of the secret, want the current and the previous", len(values))
			}
			return
		}
		s.report(r, "lets requests in without the origin secret")
	})
}

func rulePaths(s *scene) {
	var paths []string
	s.each("aws_lb_listener_rule", func(r tf.Resource) {
		before := len(paths)
		for _, c := range list(r, "condition") {
			paths = append(paths, texts(c, "path_pattern.0.values")...)
		}
		if len(paths) == before {
			s.report(r, "lets every path in")
		}
	})
	want := s.want.Paths
	if s.want.Sockets != "nlb" {
		want = slices.Concat(want, s.want.SocketPaths)
	}
	s.same(tf.Resource{Address: "aws_lb_listener_rule"}, "paths", paths, want)
}

func targetTLS(s *scene) {
	s.each("aws_lb_target_group", func(r tf.Resource) {
		s.is(r, "health_check.0.protocol", "HTTPS")
		if r.Text("protocol") == "TCP" && s.want.Sockets == "nlb" {
			return // TLS passes through to sallyport
		}
		s.is(r, "protocol", "HTTPS")
	})
}

// drain wants room for a task's sockets to close one by one.
func drain(s *scene) {
	s.each("aws_lb_target_group", func(r tf.Resource) {
		if r.Text("deregistration_delay") < "100" || len(r.Text("deregistration_delay")) != 3 {
			s.report(r, "gives sockets %s s to drain, want 100 or more", r.Text("deregistration_delay"))
		}
	})
}
