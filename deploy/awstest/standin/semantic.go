package main

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	cdn "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	ecs "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	waf "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
)

func vals[T ~string](in []T) map[string]bool {
	m := map[string]bool{}
	for _, x := range in {
		m[string(x)] = true
	}
	return m
}

// enums: TYPE.path -> the values the AWS API takes, from the AWS SDK's own models.
var enums = map[string]map[string]bool{
	"aws_lb.load_balancer_type":                                                      vals(elb.LoadBalancerTypeEnum("").Values()),
	"aws_lb_listener.protocol":                                                       vals(elb.ProtocolEnum("").Values()),
	"aws_lb_listener.default_action.type":                                            vals(elb.ActionTypeEnum("").Values()),
	"aws_lb_listener_rule.action.type":                                               vals(elb.ActionTypeEnum("").Values()),
	"aws_lb_target_group.protocol":                                                   vals(elb.ProtocolEnum("").Values()),
	"aws_lb_target_group.target_type":                                                vals(elb.TargetTypeEnum("").Values()),
	"aws_ecs_service.launch_type":                                                    vals(ecs.LaunchType("").Values()),
	"aws_ecs_task_definition.network_mode":                                           vals(ecs.NetworkMode("").Values()),
	"aws_ecs_task_definition.requires_compatibilities":                               vals(ecs.Compatibility("").Values()),
	"aws_wafv2_web_acl.scope":                                                        vals(waf.Scope("").Values()),
	"aws_wafv2_web_acl.rule.statement.rate_based_statement.aggregate_key_type":       vals(waf.RateBasedStatementAggregateKeyType("").Values()),
	"aws_cognito_user_pool_client.explicit_auth_flows":                               vals(idp.ExplicitAuthFlowsType("").Values()),
	"aws_cognito_user_pool_client.prevent_user_existence_errors":                     vals(idp.PreventUserExistenceErrorTypes("").Values()),
	"aws_cloudfront_distribution.price_class":                                        vals(cdn.PriceClass("").Values()),
	"aws_cloudfront_distribution.http_version":                                       {"http1.1": true, "http2": true, "http3": true, "http2and3": true},
	"aws_cloudfront_distribution.default_cache_behavior.viewer_protocol_policy":      vals(cdn.ViewerProtocolPolicy("").Values()),
	"aws_cloudfront_distribution.ordered_cache_behavior.viewer_protocol_policy":      vals(cdn.ViewerProtocolPolicy("").Values()),
	"aws_cloudfront_distribution.origin.custom_origin_config.origin_protocol_policy": vals(cdn.OriginProtocolPolicy("").Values()),
	"aws_cloudfront_distribution.viewer_certificate.minimum_protocol_version":        vals(cdn.MinimumProtocolVersion("").Values()),
}

func semantic(typ string, v tftypes.Value) []*tfprotov5.Diagnostic {
	var ds []*tfprotov5.Diagnostic
	_ = tftypes.Walk(v, func(p *tftypes.AttributePath, x tftypes.Value) (bool, error) {
		s := str(x)
		if s == "" {
			return true, nil
		}
		key := typ
		for _, st := range p.Steps() {
			if n, ok := st.(tftypes.AttributeName); ok {
				key += "." + string(n)
			}
		}
		if ok := enums[key]; ok != nil && !ok[s] {
			ds = append(ds, &tfprotov5.Diagnostic{
				Severity: tfprotov5.DiagnosticSeverityError, Attribute: attrOnly(p),
				Summary: fmt.Sprintf("expected %s to be one of the AWS API's values, got %q", key, s),
			})
		}
		return true, nil
	})
	return ds
}

// attrOnly cuts the path at the first set element, which a diagnostic cannot address.
func attrOnly(p *tftypes.AttributePath) *tftypes.AttributePath {
	out := tftypes.NewAttributePath()
	for _, st := range p.Steps() {
		switch x := st.(type) {
		case tftypes.AttributeName:
			out = out.WithAttributeName(string(x))
		case tftypes.ElementKeyInt:
			out = out.WithElementKeyInt(int(x))
		default:
			return out
		}
	}
	return out
}
