package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func (s *server) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

// originSecret is what every secret reads as: two values, as bootstrap writes them.
const originSecret = `{"current":"standin-origin-secret-current-000000000000000","previous":"standin-origin-secret-previous-00000000000000"}`

func (s *server) ReadDataSource(_ context.Context, r *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	sc := s.data[r.TypeName]
	t := sc.ValueType()
	v, err := r.Config.Unmarshal(t)
	if err != nil {
		return &tfprotov5.ReadDataSourceResponse{Diagnostics: diag(err)}, nil
	}
	m := obj(v)
	set := func(k string, x any) {
		if cur, ok := m[k]; ok {
			m[k] = tftypes.NewValue(cur.Type(), x)
		}
	}
	sl := func(xs ...string) []tftypes.Value {
		var o []tftypes.Value
		for _, x := range xs {
			o = append(o, tftypes.NewValue(tftypes.String, x))
		}
		return o
	}
	switch r.TypeName {
	case "aws_caller_identity":
		set("account_id", s.account)
		set("arn", "arn:aws:iam::"+s.account+":user/mock")
	case "aws_region":
		set("name", s.region)
		set("region", s.region)
		set("id", s.region)
	case "aws_partition":
		set("partition", "aws")
		set("dns_suffix", "amazonaws.com")
		set("id", "aws")
	case "aws_availability_zones":
		set("names", sl(s.region+"a", s.region+"b", s.region+"c"))
		set("zone_ids", sl("use1-az1", "use1-az2", "use1-az3"))
	case "aws_ec2_managed_prefix_list":
		set("id", "pl-3b927c52")
	case "aws_secretsmanager_secret_version":
		set("secret_string", originSecret)
	}
	v = tftypes.NewValue(t, m)
	seed := fmt.Sprint(m["name"], m["id"])
	v = fill(sc.Block, v, r.TypeName, func(path string, a *tfprotov5.SchemaAttribute) tftypes.Value {
		return s.fake(r.TypeName, seed, a.Name, s.region, a.Type)
	})
	d, err := tfprotov5.NewDynamicValue(t, v)
	if err != nil {
		return nil, err
	}
	return &tfprotov5.ReadDataSourceResponse{State: &d}, nil
}
