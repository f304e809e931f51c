// Package jsonnet has the names of go-jsonnet that conftest uses, and evaluates nothing. Its standard library is 8 MB of Go.
package jsonnet

import "errors"

// VM evaluates nothing.
type VM struct{ ErrorFormatter ErrorFormatter }

// MakeVM returns a VM whose evaluations fail.
func MakeVM() *VM { return &VM{} }

// Importer does nothing.
func (*VM) Importer(*FileImporter) {}

// EvaluateAnonymousSnippet fails.
func (*VM) EvaluateAnonymousSnippet(string, string) (string, error) {
	return "", errors.New("this linter was built without Jsonnet")
}

// ErrorFormatter formats nothing.
type ErrorFormatter struct{}

// SetMaxStackTraceSize does nothing.
func (ErrorFormatter) SetMaxStackTraceSize(int) {}

// FileImporter imports nothing.
type FileImporter struct{ JPaths []string }
