package main

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// readonly reports arguments set on attributes that only the provider may set; terraform
// core leaves that check to the provider.
func readonly(b *tfprotov5.SchemaBlock, v tftypes.Value, p *tftypes.AttributePath) []*tfprotov5.Diagnostic {
	var ds []*tfprotov5.Diagnostic
	m := obj(v)
	for _, a := range b.Attributes {
		if x, ok := m[a.Name]; ok && a.Computed && !a.Optional && !a.Required && !x.IsNull() {
			ds = append(ds, &tfprotov5.Diagnostic{
				Severity: tfprotov5.DiagnosticSeverityError, Attribute: attrOnly(p.WithAttributeName(a.Name)),
				Summary: "Value for unconfigurable attribute", Detail: fmt.Sprintf("Can't configure a value for %q: its value will be decided automatically.", a.Name),
			})
		}
	}
	for _, t := range b.BlockTypes {
		for i, it := range list(m[t.TypeName]) {
			q := p.WithAttributeName(t.TypeName)
			if t.Nesting == tfprotov5.SchemaNestedBlockNestingModeSet {
				q = q.WithElementKeyValue(it)
			} else {
				q = q.WithElementKeyInt(i)
			}
			ds = append(ds, readonly(t.Block, it, q)...)
		}
	}
	return ds
}
