// Command generate writes the table of values that AWS takes, ../table.json, from the API models of the AWS SDK for Go: for each
// argument that the modules use of the Terraform types in resources.go and that has a counterpart in the API, its enumeration, bounds
// and pattern. Run it again when the modules use new ones.
//
//	cd deploy/awstest/values && go generate
//
// An argument finds its member of the API's shape by name (backup_retention_period: BackupRetentionPeriod); where the provider
// names it otherwise, renamed says so. What the API says in prose only is in prose, each row with the sentence, which must still be
// in the model's documentation.
package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/values"
)

const sdk = "github.com/aws/aws-sdk-go@v1.55.8"

func main() {
	log.SetFlags(0)
	if err := run("../standin/schema.json.gz", "../../terraform", "table.json"); err != nil {
		log.Fatal(err)
	}
}

func run(schemaPath, modules, out string) error {
	dir, err := download()
	if err != nil {
		return err
	}
	schema, err := readSchema(schemaPath)
	if err != nil {
		return err
	}
	g := generator{apis: filepath.Join(dir, "models", "apis"), models: map[string]*model{}, table: values.Table{}}
	for typ, place := range resources {
		if _, ok := schema[typ]; !ok {
			continue
		}
		m, err := g.model(place.service)
		if err != nil {
			return err
		}
		if m.Shapes[place.shape] == nil {
			return fmt.Errorf("%s: %s has no shape %s", typ, place.service, place.shape)
		}
		g.block(m, typ, schema[typ].Block, m.Shapes[place.shape])
	}
	if err := errors.Join(g.rename(schema), g.prose()); err != nil {
		return err
	}
	for _, path := range loose {
		delete(g.table, path)
	}
	used, err := words(modules)
	if err != nil {
		return err
	}
	maps.DeleteFunc(g.table, func(argument string, _ values.Rule) bool { return !mentioned(used, argument) })
	return write(out, g.table)
}

// words are the names in the modules' code.
func words(dir string) (map[string]bool, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tf" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, word := range regexp.MustCompile(`[a-z0-9_]+`).FindAllString(string(text), -1) {
			found[word] = true
		}
		return err
	})
	return found, err
}

// mentioned says whether the modules may use an argument: whether they have each of its names somewhere.
func mentioned(used map[string]bool, argument string) bool {
	return !slices.ContainsFunc(strings.Split(argument, "."), func(name string) bool { return !used[name] })
}

// download puts the SDK into the module cache, which is where its models are read from.
func download() (string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", sdk).Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", sdk, err)
	}
	var module struct{ Dir string }
	err = json.Unmarshal(out, &module)
	return module.Dir, err
}

// block is a block of a provider's schema: arguments and blocks within.
type block struct {
	Attributes map[string]struct {
		Type               json.RawMessage
		Required, Optional bool
	} `json:"attributes"`
	Blocks map[string]struct{ Block block } `json:"block_types"`
}

type resource struct{ Block block }

func readSchema(path string) (map[string]resource, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all struct {
		Providers map[string]struct {
			Resources map[string]resource `json:"resource_schemas"`
		} `json:"provider_schemas"`
	}
	err = json.NewDecoder(z).Decode(&all)
	return all.Providers["registry.terraform.io/hashicorp/aws"].Resources, err
}

// shape is a type of an API model.
type shape struct {
	Type    string
	Enum    []string
	Min     *float64
	Max     *float64
	Pattern string
	Members map[string]struct{ Shape string }
	Member  *struct{ Shape string }
}

type model struct {
	Shapes map[string]*shape
	folder string
}

type generator struct {
	apis   string
	models map[string]*model
	table  values.Table
}

// model reads the newest model of a service.
func (g *generator) model(service string) (*model, error) {
	if m := g.models[service]; m != nil {
		return m, nil
	}
	found, _ := filepath.Glob(filepath.Join(g.apis, service, "*", "api-2.json"))
	if len(found) == 0 {
		return nil, fmt.Errorf("no model of %s", service)
	}
	path := found[len(found)-1]
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &model{folder: filepath.Dir(path)}
	g.models[service] = m
	return m, json.Unmarshal(raw, m)
}

func (g *generator) block(m *model, path string, b block, s *shape) {
	for name, a := range b.Attributes {
		if found := m.member(s, name); found != nil && (a.Required || a.Optional) {
			g.add(path+"."+name, m.leaf(found))
		}
	}
	for name, t := range b.Blocks {
		if found := m.member(s, name); found != nil {
			g.block(m, path+"."+name, t.Block, m.element(found))
		}
	}
}

// member is the member of a structure that an argument means: the same letters, in singular or plural.
func (m *model) member(s *shape, name string) *shape {
	want := strings.ReplaceAll(name, "_", "")
	for member, ref := range s.Members {
		if got := strings.ToLower(member); got == want || got == want+"s" || got+"s" == want {
			return m.Shapes[ref.Shape]
		}
	}
	return nil
}

// element goes through lists, and through CloudFront's structures around lists, to what they are of.
func (m *model) element(s *shape) *shape {
	for {
		switch {
		case s.Type == "list" && s.Member != nil:
			s = m.Shapes[s.Member.Shape]
		case s.Type == "structure" && s.Members["Items"].Shape != "":
			s = m.Shapes[s.Members["Items"].Shape]
		default:
			return s
		}
	}
}

func (m *model) leaf(s *shape) values.Rule {
	s = m.element(s)
	r := values.Rule{OneOf: s.Enum}
	switch s.Type {
	case "integer", "long", "double", "float":
		r.Min, r.Max = s.Min, s.Max
	case "string":
		r.Shortest, r.Longest = s.Min, s.Max
		if _, err := regexp.Compile(s.Pattern); err == nil && len(s.Enum) == 0 && s.Pattern != ".*" {
			r.Pattern = s.Pattern
		}
	}
	return r
}

func (g *generator) add(path string, r values.Rule) {
	if !r.Empty() {
		g.table[path] = r
	}
}

func write(path string, table values.Table) error {
	raw, err := json.MarshalIndent(table, "", "\t")
	if err != nil {
		return err
	}
	log.Printf("%s: %d arguments", path, len(table))
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
