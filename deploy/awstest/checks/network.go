package checks

import (
	"fmt"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// networkChecks are those of the VPC.
var networkChecks = []check{
	{"open-ingress", openIngress},
	{"group-chain", groupChain},
	{"open-egress", openEgress},
	{"default-group", defaultGroup},
	{"public-subnet", publicSubnet},
	{"flow-log", flowLog},
}

const ingress, egress = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"

// openIngress allows no rule by address at all, and no rule outside the two types that the chain is made of.
func openIngress(s *scene) {
	s.each(ingress, func(r tf.Resource) {
		if from := r.Text("cidr_ipv4") + r.Text("cidr_ipv6"); from != "" {
			s.report(r, "lets in %s", from)
		}
	})
	for _, r := range s.OfType("aws_security_group_rule") {
		s.report(r, "is a rule beside the chain")
	}
	s.each("aws_security_group", func(r tf.Resource) {
		if len(list(r, "ingress"))+len(list(r, "egress")) > 0 {
			s.report(r, "has rules of its own beside the chain")
		}
	})
}

// groupChain holds who may reach whom, and where, against the one chain.
func groupChain(s *scene) {
	want := []string{
		"cloudfront → alb 443-443",
		"alb → sallyport 8443-8444",
		"backend → sallyport 8444-8444",
		"sallyport → backend 7350-7350",
		"backend → database 5432-5432",
		"sallyport → cache 6379-6379",
		"sallyport → endpoints 443-443",
		"backend → endpoints 443-443",
	}
	if s.want.Sockets == "nlb" {
		want = append(want, "cloudfront → nlb 443-443", "nlb → sallyport 8443-8444")
	}
	names := s.groups()
	var got []string
	for _, r := range s.OfType(ingress) {
		got = append(got, fmt.Sprintf("%s → %s %s-%s", names[r.Text("referenced_security_group_id")+r.Text("prefix_list_id")],
			names[r.Text("security_group_id")], r.Text("from_port"), r.Text("to_port")))
	}
	s.same(tf.Resource{Address: ingress}, "ways", got, want)
}

// groups are the names of security groups, and of CloudFront's prefix list, by id.
func (s *scene) groups() map[string]string {
	names := map[string]string{}
	for _, r := range s.Resources {
		switch {
		case r.Type == "aws_security_group":
			names[r.Text("id")] = r.Name
		case r.Type == "aws_ec2_managed_prefix_list" && r.Text("name") == "com.amazonaws.global.cloudfront.origin-facing":
			names[r.Text("id")] = "cloudfront"
		}
	}
	return names
}

// openEgress allows HTTPS to anywhere from the tasks, which ask identity providers, and nothing else by address.
func openEgress(s *scene) {
	names := s.groups()
	s.each(egress, func(r tf.Resource) {
		if r.Text("cidr_ipv4")+r.Text("cidr_ipv6") == "" {
			return
		}
		if from := names[r.Text("security_group_id")]; (from != "sallyport" && from != "backend") || r.Text("from_port") != "443" || r.Text("to_port") != "443" {
			s.report(r, "lets %s out to %s, ports %s-%s", from, r.Text("cidr_ipv4"), r.Text("from_port"), r.Text("to_port"))
		}
	})
}

func defaultGroup(s *scene) {
	s.each("aws_default_security_group", func(r tf.Resource) {
		if len(list(r, "ingress"))+len(list(r, "egress")) > 0 {
			s.report(r, "has rules: whatever has no group of its own gets them")
		}
	})
}

func publicSubnet(s *scene) {
	s.each("aws_subnet", func(r tf.Resource) {
		if r.Text("map_public_ip_on_launch") == "true" {
			s.report(r, "gives public addresses")
		}
	})
	s.each("aws_ecs_service", func(r tf.Resource) { s.is(r, "network_configuration.0.assign_public_ip", "false") })
	gateways := map[string]bool{}
	for _, r := range s.OfType("aws_route") {
		if strings.HasPrefix(r.Text("gateway_id"), "igw-") {
			gateways[r.Text("route_table_id")] = true
		}
	}
	for _, r := range s.OfType("aws_route_table_association") {
		if gateways[r.Text("route_table_id")] && r.Name != "nat" {
			s.report(r, "puts a subnet that is not a NAT gateway's on the internet")
		}
	}
}

func flowLog(s *scene) {
	logged := map[string]bool{}
	s.each("aws_flow_log", func(r tf.Resource) {
		s.is(r, "traffic_type", "ALL")
		logged[r.Text("vpc_id")] = true
	})
	s.each("aws_vpc", func(r tf.Resource) {
		if !logged[r.Text("id")] {
			s.report(r, "has no flow log")
		}
	})
}
