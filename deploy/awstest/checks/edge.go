package checks

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// edgeChecks are those of CloudFront, its WAF and their logs.
var edgeChecks = []check{
	{"viewer-tls", viewerTLS},
	{"edge-paths", edgePaths},
	{"edge-default", edgeDefault},
	{"origin-header", originHeader},
	{"origin-tls", originTLS},
	{"vpc-origin", vpcOrigin},
	{"waf", webACL},
	{"waf-log", wafLog},
	{"access-log", accessLog},
}

func viewerTLS(s *scene) {
	s.each("aws_cloudfront_distribution", func(r tf.Resource) {
		s.is(r, "viewer_certificate.0.minimum_protocol_version", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025")
		for _, b := range append(list(r, "default_cache_behavior"), list(r, "ordered_cache_behavior")...) {
			s.is(b, "viewer_protocol_policy", "https-only")
		}
	})
}

func edgePaths(s *scene) {
	s.each("aws_cloudfront_distribution", func(r tf.Resource) {
		var paths []string
		for _, b := range list(r, "ordered_cache_behavior") {
			paths = append(paths, b.Text("path_pattern"))
		}
		s.same(r, "paths", paths, slices.Concat(s.want.Paths, s.want.SocketPaths))
	})
}

// edgeDefault wants a function in the way of every path that is not listed, which answers by itself.
func edgeDefault(s *scene) {
	s.each("aws_cloudfront_distribution", func(r tf.Resource) {
		s.is(r, "default_cache_behavior.0.function_association.0.event_type", "viewer-request")
		s.set(r, "default_cache_behavior.0.function_association.0.function_arn")
	})
	s.each("aws_cloudfront_function", func(r tf.Resource) {
		if code := r.Text("code"); !strings.Contains(code, "statusCode: 403") || strings.Contains(code, "event.request") {
			s.report(r, "does not answer 403 to everything")
		}
	})
}

func originHeader(s *scene) {
	s.each("aws_cloudfront_distribution", func(r tf.Resource) {
		for _, o := range list(r, "origin") {
			s.is(o, "custom_header.0.name", "X-CloudFront-Secret")
			if len(o.Text("custom_header.0.value")) < 32 {
				s.report(r, "shows an origin no secret")
			}
		}
	})
}

func originTLS(s *scene) {
	s.each("aws_cloudfront_vpc_origin", func(r tf.Resource) {
		s.is(r, "vpc_origin_endpoint_config.0.origin_protocol_policy", "https-only")
		s.same(r, "protocols", texts(r, "vpc_origin_endpoint_config.0.origin_ssl_protocols.0.items"), []string{"TLSv1.2"})
	})
}

func vpcOrigin(s *scene) {
	s.each("aws_cloudfront_distribution", func(r tf.Resource) {
		s.set(r, "web_acl_id")
		for _, o := range list(r, "origin") {
			s.set(o, "vpc_origin_config.0.vpc_origin_id")
		}
	})
}

// wafRules are the rules that the WAF must have, and whether each blocks by itself.
var wafRules = map[string]bool{
	"side-doors": true, "rate": true, "signin-rate": true,
	"AWSManagedRulesAmazonIpReputationList": false, "AWSManagedRulesCommonRuleSet": false, "AWSManagedRulesKnownBadInputsRuleSet": false,
}

func webACL(s *scene) {
	s.each("aws_wafv2_web_acl", func(r tf.Resource) {
		s.is(r, "scope", "CLOUDFRONT")
		there := map[string]tf.Resource{}
		for _, rule := range list(r, "rule") {
			there[rule.Text("name")] = rule
			if rule.Text("visibility_config.0.sampled_requests_enabled") != "false" {
				s.report(r, "keeps samples of whole requests in rule %s, tokens included", rule.Text("name"))
			}
		}
		for name, blocks := range wafRules {
			rule, ok := there[name]
			switch {
			case !ok:
				s.report(r, "has no rule %s", name)
			case blocks && len(list(rule, "action.0.block")) == 0:
				s.report(r, "does not block in rule %s", name)
			case !blocks && len(list(rule, "override_action.0.none")) == 0:
				s.report(r, "only counts in rule %s", name)
			}
		}
		if !slices.Contains(counted(there["AWSManagedRulesCommonRuleSet"]), "NoUserAgent_HEADER") {
			s.report(r, "blocks the sockets of game engines, which have no User-Agent")
		}
	})
}

// counted are the rules of a managed group that do not block.
func counted(rule tf.Resource) []string {
	var names []string
	for _, o := range list(rule, "statement.0.managed_rule_group_statement.0.rule_action_override") {
		if len(list(o, "action_to_use.0.count")) > 0 {
			names = append(names, o.Text("name"))
		}
	}
	return names
}

func wafLog(s *scene) {
	s.each("aws_wafv2_web_acl_logging_configuration", func(r tf.Resource) {
		var redacted []string
		for _, f := range list(r, "redacted_fields") {
			if f.At("query_string.0") != nil {
				redacted = append(redacted, "?")
			}
			redacted = append(redacted, f.Text("single_header.0.name"))
		}
		for _, secret := range []string{"?", "authorization", "cookie", "sec-websocket-protocol", "x-cloudfront-secret"} {
			if !slices.Contains(redacted, secret) {
				s.report(r, "writes %s, which holds tokens or the secret", secret)
			}
		}
	})
}

func accessLog(s *scene) {
	s.each("aws_cloudwatch_log_delivery", func(r tf.Resource) {
		for _, field := range []string{"cs-uri-query", "cs(Cookie)", "cs(Referer)"} {
			if slices.Contains(texts(r, "record_fields"), field) {
				s.report(r, "writes %s, which may hold a token", field)
			}
		}
		if len(texts(r, "record_fields")) == 0 {
			s.report(r, "writes every field")
		}
	})
}
