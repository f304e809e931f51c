package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// members are the members of a JSON secret.
func members(secret string) map[string]string {
	values := map[string]string{}
	_ = json.Unmarshal([]byte(secret), &values)
	return values
}

func (c *checker) definition(family string) string {
	for _, d := range c.OfType("aws_ecs_task_definition") {
		if strings.HasSuffix(d.Text("family"), "-"+family) {
			return d.Text("container_definitions")
		}
	}
	return ""
}

// drain: the whole window fits between deregistration and kill.
func (c *checker) drain() {
	var containers []struct{ StopTimeout int }
	if err := json.Unmarshal([]byte(c.definition("sallyport")), &containers); err != nil || len(containers) != 1 {
		c.holef("sallyport's containers: %v", err)
		return
	}
	window := 0
	for line := range strings.Lines(c.environment("sallyport", "sallyport")["SALLYPORT_CONFIG"]) {
		if _, value, found := strings.Cut(line, `"drain_window": "`); found {
			_, _ = fmt.Sscanf(value, "%ds", &window)
		}
	}
	stop := containers[0].StopTimeout
	c.must(window > 0 && window < stop && stop <= 120, "sallyport drains for %d s and is killed after %d s", window, stop)
	for _, g := range c.OfType("aws_lb_target_group") {
		delay, _ := strconv.Atoi(g.Text("deregistration_delay"))
		c.must(delay >= window, "%s: gives up after %d s, the drain takes %d s", g.Address, delay, window)
	}
}

// acceptedSecrets are the values of the origin secret, as the data source read them.
func (c *checker) acceptedSecrets() []string {
	for _, r := range c.Resources {
		if r.Mode == "data" && r.Type == "aws_secretsmanager_secret_version" {
			return slices.Sorted(maps.Values(members(r.Text("secret_string"))))
		}
	}
	return nil
}

// drawn is in every password that the stand-in and the stub draw.
var drawn = []string{"mock-random-password", "stub-password-of-forty"}

// stateSecrets: no secret is in the state but the origin secret, and that only where there is no write-only form.
func (c *checker) stateSecrets() {
	for _, r := range c.Resources {
		text, _ := json.Marshal(r.Values)
		for _, word := range drawn {
			c.must(!strings.Contains(string(text), word), "%s: has a password in the state", r.Address)
		}
		if r.Mode == "data" && r.Type == "aws_secretsmanager_secret_version" {
			c.must(len(members(r.Text("secret_string"))) == 2, "%s: reads another secret than that of the origin", r.Address)
			continue
		}
		for _, name := range []string{"secret_string", "secret_binary", "password", "auth_token", "client_secret", "private_key"} {
			c.must(r.Text(name) == "" || strings.HasPrefix(r.Text(name), "mock-") || len(r.Text(name)) == 8, "%s: %s is in the state", r.Address, name)
		}
		if r.Type == "aws_lb_listener_rule" || r.Type == "aws_cloudfront_distribution" {
			continue
		}
		for _, secret := range c.acceptedSecrets() {
			c.must(!strings.Contains(string(text), secret), "%s: has the origin secret in the state", r.Address)
		}
	}
}

// isolation: only NAT gateways are in subnets with a way to the internet, databases have no way out, flows are logged.
func (c *checker) isolation() {
	gateways := map[string]bool{}
	for _, r := range c.OfType("aws_route") {
		if r.Text("gateway_id") != "" {
			gateways[r.Text("route_table_id")] = true
		}
	}
	public := map[string]bool{}
	for _, a := range c.OfType("aws_route_table_association") {
		public[a.Text("subnet_id")] = public[a.Text("subnet_id")] || gateways[a.Text("route_table_id")]
	}
	for _, typ := range []string{"aws_lb", "aws_vpc_endpoint", "aws_db_subnet_group", "aws_elasticache_subnet_group"} {
		for _, r := range c.OfType(typ) {
			for _, subnet := range slices.Concat(texts(r.At("subnets")), texts(r.At("subnet_ids"))) {
				c.must(!public[subnet], "%s: in a subnet with a way to the internet", r.Address)
			}
		}
	}
	for _, s := range c.OfType("aws_ecs_service") {
		for _, subnet := range texts(s.At("network_configuration.0.subnets")) {
			c.must(!public[subnet], "%s: in a subnet with a way to the internet", s.Address)
		}
	}
	c.must(c.one("aws_flow_log").Text("traffic_type") == "ALL", "flows are not all logged")
	c.one("aws_default_security_group")
}

// scaling: two tasks of sallyport or more, more by CPU and by sockets, and one Nakama.
func (c *checker) scaling() {
	target := c.one("aws_appautoscaling_target")
	least, _ := strconv.Atoi(target.Text("min_capacity"))
	c.must(least >= 2, "%s: %d tasks at least", target.Address, least)
	var names []string
	for _, p := range c.OfType("aws_appautoscaling_policy") {
		names = append(names, p.Text("name"))
	}
	c.must(equal(names, []string{"cpu", "sockets"}), "autoscaling follows %v, want CPU and sockets", names)
	for _, s := range c.OfType("aws_ecs_service") {
		if s.Text("name") == "backend" && c.want.Topology == "nakama" {
			c.must(s.Text("desired_count") == "1" && s.Text("deployment_maximum_percent") == "100", "%s: two Nakamas at once do not know each other", s.Address)
		}
	}
}

// alarms: what somebody must be told.
func (c *checker) alarms() {
	metrics := map[string]bool{}
	for _, a := range c.OfType("aws_cloudwatch_metric_alarm") {
		metrics[a.Text("metric_name")] = true
		c.must(len(texts(a.At("alarm_actions"))) > 0, "%s: tells nobody", a.Address)
	}
	want := []string{
		"HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count", "UnHealthyHostCount", "ActiveConnectionCount", "CPUUtilization", "refusals_all",
		"5xxErrorRate", "BlockedRequests", "DatabaseMemoryUsagePercentage",
	}
	if c.want.Topology == "nakama" {
		want = append(want, "FreeStorageSpace", "DatabaseConnections")
	}
	for _, metric := range want {
		c.must(metrics[metric], "no alarm for %s; there are %v", metric, slices.Sorted(maps.Keys(metrics)))
	}
	c.one("aws_budgets_budget")
	c.one("aws_cloudwatch_dashboard")
}

// sallyport checks the origin secret itself, speaks TLS at both of its doors, and stands before the backend.
func (c *checker) sallyport() {
	config := c.environment("sallyport", "sallyport")["SALLYPORT_CONFIG"]
	for _, want := range []string{"${ORIGIN_SECRET_CURRENT}", "${ORIGIN_SECRET_PREVIOUS}", `"header": "X-CloudFront-Secret"`, `"stale_sockets": "close"`} {
		c.must(strings.Contains(config, want), "sallyport's configuration lacks %s", want)
	}
	c.must(strings.Count(config, `"certificate": "`) == 2, "sallyport does not speak TLS at both of its doors")
	for _, s := range c.OfType("aws_ecs_service") {
		if s.Text("name") == "backend" {
			c.must(len(blocks(s, "load_balancer")) == 0, "%s: a load balancer goes past sallyport", s.Address)
		}
	}
}

// idle: who is nearer to the player ends an idle connection first, or requests meet connections that are just closed. The
// gate keeps one for 60 s.
func (c *checker) idle() {
	for _, lb := range c.OfType("aws_lb") {
		if lb.Text("load_balancer_type") != "application" {
			continue
		}
		balancer, _ := strconv.Atoi(lb.Text("idle_timeout"))
		c.must(balancer < 60 && balancer >= 30, "%s: idle after %d s", lb.Address, balancer)
		for _, o := range blocks(c.one("aws_cloudfront_distribution"), "origin") {
			edge, _ := strconv.Atoi(o.Text("vpc_origin_config.0.origin_keepalive_timeout"))
			c.must(edge > 0 && edge < balancer, "CloudFront keeps idle connections for %d s, the ALB for %d s", edge, balancer)
		}
	}
}

// planes: sockets go to the load balancer of their plane, and there are no more balancers than planes.
func (c *checker) planes() {
	balancers := 1
	if c.want.SocketPlane == "nlb" {
		balancers = 2
		c.must(strings.Contains(c.definition("sallyport"), "START_TLS_CERTIFICATE"), "on the nlb plane sallyport has no certificate that CloudFront trusts")
	}
	c.must(len(c.OfType("aws_lb")) == balancers, "%d load balancers, want %d", len(c.OfType("aws_lb")), balancers)
	for _, b := range blocks(c.one("aws_cloudfront_distribution"), "ordered_cache_behavior") {
		want := "http"
		if balancers == 2 && b.Text("path_pattern") == "/ws" {
			want = "sockets"
		}
		c.must(b.Text("target_origin_id") == want, "%s goes to %s, want %s", b.Text("path_pattern"), b.Text("target_origin_id"), want)
	}
}
