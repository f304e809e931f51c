package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func diag(err error) []*tfprotov5.Diagnostic {
	return []*tfprotov5.Diagnostic{{Severity: tfprotov5.DiagnosticSeverityError, Summary: err.Error()}}
}

func (s *server) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	r := &tfprotov5.GetMetadataResponse{ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true}}
	for n := range s.resources {
		r.Resources = append(r.Resources, tfprotov5.ResourceMetadata{TypeName: n})
	}
	for n := range s.data {
		r.DataSources = append(r.DataSources, tfprotov5.DataSourceMetadata{TypeName: n})
	}
	return r, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true},
		Provider:           s.provider, ResourceSchemas: s.resources, DataSourceSchemas: s.data, EphemeralResourceSchemas: s.ephemera,
	}, nil
}

func (s *server) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (s *server) PrepareProviderConfig(_ context.Context, r *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (s *server) ConfigureProvider(_ context.Context, r *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	v, err := r.Config.Unmarshal(s.provider.ValueType())
	if err != nil {
		return &tfprotov5.ConfigureProviderResponse{Diagnostics: diag(err)}, nil
	}
	m := obj(v)
	if x := str(m["region"]); x != "" {
		s.region = x
	}
	for _, d := range list(m["default_tags"]) {
		if t := obj(d)["tags"]; t.IsFullyKnown() && !t.IsNull() {
			_ = t.As(&s.defaultTags)
		}
	}
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (s *server) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (s *server) ValidateResourceTypeConfig(_ context.Context, r *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	resp := &tfprotov5.ValidateResourceTypeConfigResponse{}
	v, err := r.Config.Unmarshal(s.resources[r.TypeName].ValueType())
	if err != nil {
		resp.Diagnostics = diag(err)
		return resp, nil
	}
	resp.Diagnostics = append(readonly(s.resources[r.TypeName].Block, v, tftypes.NewAttributePath()), append(semantic(r.TypeName, v), generic(r.TypeName, v)...)...)
	return resp, nil
}

func (s *server) UpgradeResourceState(_ context.Context, r *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	t := s.resources[r.TypeName].ValueType()
	v, err := r.RawState.Unmarshal(t)
	if err != nil {
		return &tfprotov5.UpgradeResourceStateResponse{Diagnostics: diag(err)}, nil
	}
	d, err := tfprotov5.NewDynamicValue(t, v)
	if err != nil {
		return nil, err
	}
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &d}, nil
}

func (s *server) ReadResource(_ context.Context, r *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: r.CurrentState, Private: r.Private}, nil
}

func (s *server) PlanResourceChange(_ context.Context, r *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	sc := s.resources[r.TypeName]
	t := sc.ValueType()
	//lint:ignore SA1019 the AWS provider says so for its resources, too
	resp := &tfprotov5.PlanResourceChangeResponse{UnsafeToUseLegacyTypeSystem: true}
	v, err := r.ProposedNewState.Unmarshal(t)
	if err != nil {
		resp.Diagnostics = diag(err)
		return resp, nil
	}
	prior, err := r.PriorState.Unmarshal(t)
	if err != nil {
		resp.Diagnostics = diag(err)
		return resp, nil
	}
	if v.IsNull() {
		resp.PlannedState = r.ProposedNewState
		return resp, nil
	}
	if prior.IsNull() {
		v = fill(sc.Block, v, r.TypeName, func(path string, a *tfprotov5.SchemaAttribute) tftypes.Value {
			if path == r.TypeName+".region" {
				return tftypes.NewValue(a.Type, s.region)
			}
			return tftypes.NewValue(a.Type, tftypes.UnknownValue)
		})
	}
	if !prior.IsNull() { // an update keeps what is known; only write-only values go
		v = fill(sc.Block, v, r.TypeName, func(_ string, a *tfprotov5.SchemaAttribute) tftypes.Value { return tftypes.NewValue(a.Type, nil) })
	}
	v = s.tagsAll(v)
	d, err := tfprotov5.NewDynamicValue(t, v)
	if err != nil {
		return nil, err
	}
	resp.PlannedState = &d
	return resp, nil
}

func (s *server) tagsAll(v tftypes.Value) tftypes.Value {
	m := obj(v)
	all, ok := m["tags_all"]
	tags, ok2 := m["tags"]
	if !ok || !ok2 || !tags.IsFullyKnown() || !all.Type().Is(tftypes.Map{}) {
		return v
	}
	merged := map[string]tftypes.Value{}
	for k, x := range s.defaultTags {
		merged[k] = x
	}
	for k, x := range obj(tags) {
		merged[k] = x
	}
	m["tags_all"] = tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, merged)
	return tftypes.NewValue(v.Type(), m)
}

func (s *server) ApplyResourceChange(_ context.Context, r *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	sc := s.resources[r.TypeName]
	t := sc.ValueType()
	v, err := r.PlannedState.Unmarshal(t)
	if err != nil {
		return &tfprotov5.ApplyResourceChangeResponse{Diagnostics: diag(err)}, nil
	}
	if v.IsNull() {
		return &tfprotov5.ApplyResourceChangeResponse{NewState: r.PlannedState}, nil
	}
	seed := sha256.Sum256(r.Config.MsgPack)
	v = s.resolve(v, r.TypeName, string(seed[:]))
	v = s.tagsAll(v)
	d, err := tfprotov5.NewDynamicValue(t, v)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 the AWS provider says so for its resources, too
	return &tfprotov5.ApplyResourceChangeResponse{NewState: &d, UnsafeToUseLegacyTypeSystem: true}, nil
}

func (s *server) ImportResourceState(context.Context, *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	return &tfprotov5.ImportResourceStateResponse{Diagnostics: diag(fmt.Errorf("the stand-in provider cannot import"))}, nil
}

func (s *server) MoveResourceState(context.Context, *tfprotov5.MoveResourceStateRequest) (*tfprotov5.MoveResourceStateResponse, error) {
	return &tfprotov5.MoveResourceStateResponse{Diagnostics: diag(fmt.Errorf("the stand-in provider cannot move"))}, nil
}

func (s *server) UpgradeResourceIdentity(context.Context, *tfprotov5.UpgradeResourceIdentityRequest) (*tfprotov5.UpgradeResourceIdentityResponse, error) {
	return &tfprotov5.UpgradeResourceIdentityResponse{}, nil
}

func (s *server) GenerateResourceConfig(context.Context, *tfprotov5.GenerateResourceConfigRequest) (*tfprotov5.GenerateResourceConfigResponse, error) {
	return &tfprotov5.GenerateResourceConfigResponse{}, nil
}

func (s *server) GetFunctions(context.Context, *tfprotov5.GetFunctionsRequest) (*tfprotov5.GetFunctionsResponse, error) {
	return &tfprotov5.GetFunctionsResponse{}, nil
}

func (s *server) CallFunction(context.Context, *tfprotov5.CallFunctionRequest) (*tfprotov5.CallFunctionResponse, error) {
	return nil, fmt.Errorf("no functions")
}

func (s *server) ValidateEphemeralResourceConfig(context.Context, *tfprotov5.ValidateEphemeralResourceConfigRequest) (*tfprotov5.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov5.ValidateEphemeralResourceConfigResponse{}, nil
}

func (s *server) OpenEphemeralResource(_ context.Context, r *tfprotov5.OpenEphemeralResourceRequest) (*tfprotov5.OpenEphemeralResourceResponse, error) {
	sc := s.ephemera[r.TypeName]
	v, err := r.Config.Unmarshal(sc.ValueType())
	if err != nil {
		return &tfprotov5.OpenEphemeralResourceResponse{Diagnostics: diag(err)}, nil
	}
	v = fill(sc.Block, v, r.TypeName, func(path string, a *tfprotov5.SchemaAttribute) tftypes.Value {
		return s.fake(r.TypeName, "ephemeral", a.Name, s.region, a.Type)
	})
	d, err := tfprotov5.NewDynamicValue(sc.ValueType(), v)
	if err != nil {
		return nil, err
	}
	return &tfprotov5.OpenEphemeralResourceResponse{Result: &d}, nil
}

func (s *server) RenewEphemeralResource(context.Context, *tfprotov5.RenewEphemeralResourceRequest) (*tfprotov5.RenewEphemeralResourceResponse, error) {
	return &tfprotov5.RenewEphemeralResourceResponse{}, nil
}

func (s *server) CloseEphemeralResource(context.Context, *tfprotov5.CloseEphemeralResourceRequest) (*tfprotov5.CloseEphemeralResourceResponse, error) {
	return &tfprotov5.CloseEphemeralResourceResponse{}, nil
}
