package rules

import (
	"maps"
	"slices"
	"strings"
)

// The allow-list, written a second time: a path that somebody adds to the modules must be added here too, and seen.
var (
	httpPaths = map[string][]string{
		"nakama": {
			"/v1/ticket", "/v2/account", "/v2/account/authenticate/custom", "/v2/account/session/refresh", "/v2/channel/*", "/v2/friend",
			"/v2/friend/*", "/v2/group", "/v2/group/*", "/v2/leaderboard/*", "/v2/match", "/v2/matchmaker/stats", "/v2/notification",
			"/v2/rpc/*", "/v2/session/logout", "/v2/storage", "/v2/storage/*", "/v2/tournament", "/v2/tournament/*", "/v2/user", "/v2/user/*",
		},
		"gate": {
			"/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/game/*", "/oauth2/revoke", "/oauth2/token", "/v1/ticket",
		},
	}
	socketPaths = []string{"/ws"}
)

// originHeader is the header of the origin secret.
const originHeader = "X-CloudFront-Secret"

// listeners: what no rule names is a fixed 403, and nothing listens without TLS.
func (c *checker) listeners() {
	for _, l := range c.OfType("aws_lb_listener") {
		switch l.Text("protocol") {
		case "HTTPS":
			c.must(l.Text("default_action.0.type") == "fixed-response" && l.Text("default_action.0.fixed_response.0.status_code") == "403",
				"%s: the default is not a fixed 403", l.Address)
		case "TCP":
			c.must(c.want.SocketPlane == "nlb", "%s: a TCP listener without the nlb plane", l.Address)
		default:
			c.holef("%s: protocol %s", l.Address, l.Text("protocol"))
		}
		c.must(l.Text("port") == "443", "%s: port %s", l.Address, l.Text("port"))
	}
}

// listenerRules: each rule checks the secret, with the values that the others have, and has five condition values at most.
func (c *checker) listenerRules() {
	accepted := c.acceptedSecrets()
	c.must(len(accepted) == 2, "%d origin secrets are accepted, want the current and the previous", len(accepted))
	for _, r := range c.OfType("aws_lb_listener_rule") {
		checked, values := false, 0
		for _, condition := range blocks(r, "condition") {
			header := texts(condition.At("http_header.0.values"))
			values += len(header) + len(texts(condition.At("path_pattern.0.values")))
			if condition.Text("http_header.0.http_header_name") == originHeader {
				checked = equal(header, accepted)
			}
			c.must(!strings.Contains(strings.Join(header, ""), "*"), "%s: a secret with a wildcard", r.Address)
		}
		c.must(checked, "%s: does not check the origin secret", r.Address)
		c.must(values <= 5, "%s: %d condition values, an ALB takes five", r.Address, values)
		c.must(r.Text("action.0.type") == "forward", "%s: %s", r.Address, r.Text("action.0.type"))
	}
}

// acceptedSecrets are the values of the origin secret, as the data source read them.
func (c *checker) acceptedSecrets() []string {
	for _, r := range c.Resources {
		if r.Mode == "data" && r.Type == "aws_secretsmanager_secret_version" {
			values := members(r.Text("secret_string"))
			return slices.Sorted(maps.Values(values))
		}
	}
	return nil
}

// paths: the rules and the behaviours are exactly the allow-list.
func (c *checker) paths() {
	var rules, behaviors []string
	for _, r := range c.OfType("aws_lb_listener_rule") {
		for _, condition := range blocks(r, "condition") {
			rules = append(rules, texts(condition.At("path_pattern.0.values"))...)
		}
	}
	for _, b := range blocks(c.one("aws_cloudfront_distribution"), "ordered_cache_behavior") {
		behaviors = append(behaviors, b.Text("path_pattern"))
	}
	all := slices.Concat(httpPaths[c.want.Topology], socketPaths)
	c.must(equal(behaviors, all), "CloudFront's paths are %v, want %v", behaviors, all)
	if c.want.SocketPlane == "nlb" {
		all = httpPaths[c.want.Topology]
	}
	c.must(equal(rules, all), "the ALB's paths are %v, want %v", rules, all)
}

// origins: CloudFront reaches internal load balancers by VPC origins, over HTTPS alone, and shows the current secret.
func (c *checker) origins() {
	balancers := map[string]bool{}
	for _, lb := range c.OfType("aws_lb") {
		c.must(lb.Text("internal") == "true", "%s: public", lb.Address)
		balancers[lb.Text("arn")] = true
	}
	for _, o := range c.OfType("aws_cloudfront_vpc_origin") {
		end := first(o, "vpc_origin_endpoint_config")
		c.must(end.Text("origin_protocol_policy") == "https-only", "%s: %s", o.Address, end.Text("origin_protocol_policy"))
		c.must(equal(texts(end.At("origin_ssl_protocols.0.items")), []string{"TLSv1.2"}), "%s: TLS before 1.2", o.Address)
		c.must(balancers[end.Text("arn")], "%s: leads to something else than our load balancers", o.Address)
	}
	current := c.currentSecret()
	origins := blocks(c.one("aws_cloudfront_distribution"), "origin")
	c.must(len(origins) == len(balancers), "%d origins for %d load balancers", len(origins), len(balancers))
	for _, o := range origins {
		c.must(o.Text("vpc_origin_config.0.vpc_origin_id") != "" && len(blocks(o, "custom_origin_config")) == 0, "%s: goes over the internet", o.Text("origin_id"))
		header := blocks(o, "custom_header")
		c.must(len(header) == 1 && header[0].Text("name") == originHeader && header[0].Text("value") == current && current != "",
			"%s: does not show the current origin secret", o.Text("origin_id"))
	}
}

func (c *checker) currentSecret() string {
	for _, r := range c.Resources {
		if r.Mode == "data" && r.Type == "aws_secretsmanager_secret_version" {
			return members(r.Text("secret_string"))["current"]
		}
	}
	return ""
}

// distribution: HTTPS alone, the web ACL, nothing cached, everything else shut, sockets on their plane.
func (c *checker) distribution() {
	d := c.one("aws_cloudfront_distribution")
	c.must(d.Text("web_acl_id") == c.one("aws_wafv2_web_acl").Text("arn"), "%s: our web ACL is not before it", d.Address)
	c.must(strings.HasPrefix(d.Text("viewer_certificate.0.minimum_protocol_version"), "TLSv1.2_") ||
		strings.HasPrefix(d.Text("viewer_certificate.0.minimum_protocol_version"), "TLSv1.3_"), "%s: viewers may speak old TLS", d.Address)
	shut := first(d, "default_cache_behavior")
	c.must(shut.Text("function_association.0.function_arn") == c.one("aws_cloudfront_function").Text("arn") &&
		shut.Text("function_association.0.event_type") == "viewer-request" &&
		strings.Contains(c.one("aws_cloudfront_function").Text("code"), "statusCode: 403"), "%s: the default behaviour is open", d.Address)
	for _, b := range append(blocks(d, "ordered_cache_behavior"), shut) {
		c.must(b.Text("viewer_protocol_policy") == "https-only", "%s: %s", b.Address, b.Text("viewer_protocol_policy"))
		want := "http"
		if c.want.SocketPlane == "nlb" && slices.Contains(socketPaths, b.Text("path_pattern")) {
			want = "sockets"
		}
		c.must(b.Text("target_origin_id") == want, "%s: %s goes to %s", d.Address, b.Text("path_pattern"), b.Text("target_origin_id"))
	}
	for _, l := range c.OfType("aws_cloudwatch_log_delivery") {
		for _, field := range []string{"cs-uri-query", "cs(Cookie)", "cs(Referer)"} {
			c.must(!slices.Contains(texts(l.At("record_fields")), field), "%s: logs %s, in which tokens stand", l.Address, field)
		}
	}
	c.must(len(c.OfType("aws_cloudwatch_log_delivery")) == 1, "CloudFront is not logged")
}

// waf: the rules that must be there, and no token in its logs and samples.
func (c *checker) waf() {
	acl := c.one("aws_wafv2_web_acl")
	var names []string
	for _, r := range blocks(acl, "rule") {
		names = append(names, r.Text("name"))
		c.must(r.Text("visibility_config.0.sampled_requests_enabled") == "false", "%s: samples of %s show tokens", acl.Address, r.Text("name"))
		if strings.HasPrefix(r.Text("name"), "AWSManaged") {
			c.must(len(blocks(r, "override_action.0.none")) == 1, "%s: %s only counts", acl.Address, r.Text("name"))
		} else {
			c.must(len(blocks(r, "action.0.block")) == 1, "%s: %s does not block", acl.Address, r.Text("name"))
		}
	}
	for _, name := range []string{
		"side-doors", "rate", "signin-rate", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet",
		"AWSManagedRulesCommonRuleSet",
	} {
		c.must(slices.Contains(names, name), "%s: rule %s is missing", acl.Address, name)
	}
	var headers []string
	query := false
	for _, field := range blocks(c.one("aws_wafv2_web_acl_logging_configuration"), "redacted_fields") {
		query = query || len(blocks(field, "query_string")) > 0
		if name := field.Text("single_header.0.name"); name != "" {
			headers = append(headers, name)
		}
	}
	c.must(query, "the WAF logs query strings")
	for _, name := range []string{"authorization", "cookie", "sec-websocket-protocol", strings.ToLower(originHeader)} {
		c.must(slices.Contains(headers, name), "the WAF logs the header %s", name)
	}
}
