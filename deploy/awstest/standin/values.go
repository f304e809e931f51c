package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func obj(v tftypes.Value) map[string]tftypes.Value {
	m := map[string]tftypes.Value{}
	if v.IsKnown() && !v.IsNull() {
		_ = v.As(&m)
	}
	return m
}

func list(v tftypes.Value) []tftypes.Value {
	var l []tftypes.Value
	if v.IsKnown() && !v.IsNull() {
		_ = v.As(&l)
	}
	return l
}

func str(v tftypes.Value) string {
	var x string
	if v.Type() != nil && v.Type().Is(tftypes.String) && v.IsKnown() && !v.IsNull() {
		_ = v.As(&x)
	}
	return x
}

// fill walks a value by its schema; leaf is asked for each computed attribute that is null.
func fill(b *tfprotov5.SchemaBlock, v tftypes.Value, path string, leaf func(path string, a *tfprotov5.SchemaAttribute) tftypes.Value) tftypes.Value {
	if v.IsNull() || !v.IsKnown() {
		return v
	}
	m := obj(v)
	for _, a := range b.Attributes {
		if a.WriteOnly {
			m[a.Name] = tftypes.NewValue(a.Type, nil)
			continue
		}
		if cur := m[a.Name]; a.Computed && cur.IsNull() {
			m[a.Name] = leaf(path+"."+a.Name, a)
		}
	}
	for _, t := range b.BlockTypes {
		cur := m[t.TypeName]
		if cur.IsNull() || !cur.IsKnown() {
			continue
		}
		switch t.Nesting {
		case tfprotov5.SchemaNestedBlockNestingModeList, tfprotov5.SchemaNestedBlockNestingModeSet:
			var items []tftypes.Value
			for _, it := range list(cur) {
				items = append(items, fill(t.Block, it, path+"."+t.TypeName, leaf))
			}
			m[t.TypeName] = tftypes.NewValue(cur.Type(), items)
		case tfprotov5.SchemaNestedBlockNestingModeMap:
			mm := obj(cur)
			for k, it := range mm {
				mm[k] = fill(t.Block, it, path+"."+t.TypeName, leaf)
			}
			m[t.TypeName] = tftypes.NewValue(cur.Type(), mm)
		default:
			m[t.TypeName] = fill(t.Block, cur, path+"."+t.TypeName, leaf)
		}
	}
	return tftypes.NewValue(v.Type(), m)
}

// resolve replaces every unknown (and, with all, every null computed) by a stand-in value.
func (s *server) resolve(v tftypes.Value, typ, seed string) tftypes.Value {
	region := s.region
	if chosen := str(obj(v)["region"]); chosen != "" {
		region = chosen
	}
	out, err := tftypes.Transform(v, func(p *tftypes.AttributePath, x tftypes.Value) (tftypes.Value, error) {
		if x.IsKnown() {
			return x, nil
		}
		return s.fake(typ, seed, lastName(p), region, x.Type()), nil
	})
	if err != nil {
		panic(err)
	}
	return out
}

func lastName(p *tftypes.AttributePath) string {
	st := p.Steps()
	for i := len(st) - 1; i >= 0; i-- {
		if n, ok := st[i].(tftypes.AttributeName); ok {
			return string(n)
		}
	}
	return ""
}

func (s *server) fake(typ, seed, name, region string, t tftypes.Type) tftypes.Value {
	h := sha256.Sum256([]byte(typ + "\x00" + seed + "\x00"))
	id := hex.EncodeToString(h[:])[:17]
	short := strings.TrimPrefix(typ, "aws_")
	switch {
	case t.Is(tftypes.String):
		switch {
		case name == "arn" || strings.HasSuffix(name, "_arn"):
			return tftypes.NewValue(t, s.arn(typ, name, region, id))
		case name == "id" && arnID[typ]:
			return tftypes.NewValue(t, s.arn(typ, name, region, id))
		case name == "id" && typ == "aws_cognito_user_pool":
			return tftypes.NewValue(t, region+"_"+id[:9])
		case name == "id":
			return tftypes.NewValue(t, prefixID[typ]+id)
		case name == "region":
			return tftypes.NewValue(t, region)
		case strings.HasSuffix(name, "dns_name") || name == "domain_name" || name == "endpoint":
			return tftypes.NewValue(t, id+"."+strings.ReplaceAll(short, "_", "-")+".mock.amazonaws.com")
		case strings.HasSuffix(name, "cidr_block"):
			return tftypes.NewValue(t, "10.0.0.0/16")
		case strings.HasSuffix(name, "account_id") || name == "owner_id":
			return tftypes.NewValue(t, s.account)
		}
		return tftypes.NewValue(t, "mock-"+strings.ReplaceAll(name, "_", "-")+"-"+id)
	case t.Is(tftypes.Number):
		return tftypes.NewValue(t, 0)
	case t.Is(tftypes.Bool):
		return tftypes.NewValue(t, false)
	case name == "master_user_secret":
		object := t.(tftypes.List).ElementType.(tftypes.Object)
		return tftypes.NewValue(t, []tftypes.Value{tftypes.NewValue(object, map[string]tftypes.Value{
			"kms_key_id":    tftypes.NewValue(tftypes.String, s.arn("aws_kms_key", "arn", region, id)),
			"secret_arn":    tftypes.NewValue(tftypes.String, s.arn("aws_secretsmanager_secret", "arn", region, id)),
			"secret_status": tftypes.NewValue(tftypes.String, "active"),
		})})
	case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
		return tftypes.NewValue(t, []tftypes.Value{})
	case t.Is(tftypes.Map{}):
		return tftypes.NewValue(t, map[string]tftypes.Value{})
	}
	return tftypes.NewValue(t, nil)
}
