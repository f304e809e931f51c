package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

//go:embed schema.json.gz
var schemaGz []byte

type jsonSchemas struct {
	Source          string `json:"source"`
	ProviderSchemas map[string]struct {
		Provider    jsonSchema            `json:"provider"`
		Resources   map[string]jsonSchema `json:"resource_schemas"`
		DataSources map[string]jsonSchema `json:"data_source_schemas"`
		Ephemeral   map[string]jsonSchema `json:"ephemeral_resource_schemas"`
	} `json:"provider_schemas"`
}
type jsonSchema struct {
	Version int64     `json:"version"`
	Block   jsonBlock `json:"block"`
}
type jsonBlock struct {
	Attributes map[string]jsonAttr      `json:"attributes"`
	BlockTypes map[string]jsonBlockType `json:"block_types"`
	Deprecated bool                     `json:"deprecated"`
}
type jsonAttr struct {
	Type       json.RawMessage `json:"type"`
	Required   bool            `json:"required"`
	Optional   bool            `json:"optional"`
	Computed   bool            `json:"computed"`
	Sensitive  bool            `json:"sensitive"`
	WriteOnly  bool            `json:"write_only"`
	Deprecated bool            `json:"deprecated"`
}
type jsonBlockType struct {
	Nesting string    `json:"nesting_mode"`
	Block   jsonBlock `json:"block"`
	Min     int64     `json:"min_items"`
	Max     int64     `json:"max_items"`
}

func toSchema(s jsonSchema) *tfprotov5.Schema {
	return &tfprotov5.Schema{Version: s.Version, Block: toBlock(s.Block)}
}

func toBlock(b jsonBlock) *tfprotov5.SchemaBlock {
	out := &tfprotov5.SchemaBlock{Deprecated: b.Deprecated}
	for n, a := range b.Attributes {
		t, err := tftypes.ParseJSONType(a.Type) //lint:ignore SA1019 the schema's JSON uses this very form
		if err != nil {
			panic(n + ": " + err.Error())
		}
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{
			Name: n, Type: t, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
			Sensitive: a.Sensitive, WriteOnly: a.WriteOnly, Deprecated: a.Deprecated,
		})
	}
	modes := map[string]tfprotov5.SchemaNestedBlockNestingMode{
		"single": tfprotov5.SchemaNestedBlockNestingModeSingle, "list": tfprotov5.SchemaNestedBlockNestingModeList,
		"set": tfprotov5.SchemaNestedBlockNestingModeSet, "map": tfprotov5.SchemaNestedBlockNestingModeMap,
	}
	for n, t := range b.BlockTypes {
		out.BlockTypes = append(out.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: n, Block: toBlock(t.Block), Nesting: modes[t.Nesting], MinItems: t.Min, MaxItems: t.Max,
		})
	}
	return out
}

type server struct {
	provider                  *tfprotov5.Schema
	resources, data, ephemera map[string]*tfprotov5.Schema
	region                    string
	account                   string
	defaultTags               map[string]tftypes.Value
}

func newServer() *server {
	z, err := gzip.NewReader(bytes.NewReader(schemaGz))
	if err != nil {
		panic(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	var js jsonSchemas
	if err := json.Unmarshal(raw, &js); err != nil {
		panic(err)
	}
	p := js.ProviderSchemas["registry.terraform.io/hashicorp/aws"]
	s := &server{
		region: "us-east-1", account: "123456789012",
		resources: map[string]*tfprotov5.Schema{}, data: map[string]*tfprotov5.Schema{}, ephemera: map[string]*tfprotov5.Schema{},
	}
	s.provider = toSchema(p.Provider)
	for n, x := range p.Resources {
		s.resources[n] = toSchema(x)
	}
	for n, x := range p.DataSources {
		s.data[n] = toSchema(x)
	}
	for n, x := range p.Ephemeral {
		s.ephemera[n] = toSchema(x)
	}
	return s
}
