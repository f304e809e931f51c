package config

import (
	"cmp"
	"os"
	"reflect"
	"slices"

	"github.com/sallyport-auth/sallyport/server/internal/strictyaml"
)

// File is a configuration and where its fields stand.
type File struct {
	Config
	yaml *strictyaml.File
}

// Load reads and checks a configuration. If anything is wrong with it the error is strictyaml.Problems, unless the file
// cannot be read at all. Nothing is fetched, and no file is read but this one and what ${file:…} names.
func Load(path string, env func(string) (string, bool)) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(strictyaml.Source{Name: path, Data: data, Env: env})
}

// Parse is Load for a file that has been read.
func Parse(source strictyaml.Source) (*File, error) {
	f := new(File)
	f.yaml = strictyaml.Decode(source, &f.Config)
	if f.yaml.Parsed() {
		f.validate()
	}
	if err := f.yaml.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// Problem returns err as a problem of the file with the field at path, such as issuers[0].region.
func (f *File) Problem(path string, err error) error {
	f.yaml.Report(path, "%v", err)
	return f.yaml.Err()
}

// Path makes a path of the configuration absolute: one that is not starts at the file's folder.
func (f *File) Path(path string) string { return f.yaml.Path(path) }

// Secrets returns every secret of the configuration, to be kept out of the log.
func (c *Config) Secrets() []string {
	var all []string
	collect(reflect.ValueOf(*c), &all)
	slices.Sort(all)
	return slices.Compact(all)
}

func collect(v reflect.Value, all *[]string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[Secret]() && v.Len() > 0 {
			*all = append(*all, v.String())
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), all)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), all)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			collect(v.Field(i), all)
		}
	default: // holds no text
	}
}

// Realms returns the realms of all players, sorted, each once.
func (c *Config) Realms() []string {
	var realms []string
	for _, i := range c.Issuers {
		if i.Preset != nil {
			realms = append(realms, i.Preset.RealmName())
		}
	}
	if c.Nakama != nil {
		realms = append(realms, c.Nakama.Realm)
	}
	slices.SortFunc(realms, cmp.Compare[string])
	return slices.Compact(realms)
}
