package strictyaml

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expander replaces ${NAME} and ${file:PATH} in a text.
type expander struct{ source Source }

// expand returns the text with every reference replaced, and whether it had one. Its errors name the reference, never
// what it holds.
func (e expander) expand(text string) (expanded string, had bool, err error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			out.WriteString(text)
			return out.String(), had, nil
		}
		if literal, escaped := strings.CutSuffix(before, "$"); escaped {
			out.WriteString(literal + "${")
			text = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", true, errors.New("${ without its }; write $${ for the two characters themselves")
		}
		value, err := e.lookup(name)
		if err != nil {
			return "", true, err
		}
		out.WriteString(before + value)
		text, had = rest, true
	}
}

func (e expander) lookup(name string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return e.file(path)
	}
	if !variable.MatchString(name) {
		return "", errors.New("${…} takes the name of an environment variable or file:PATH")
	}
	if e.source.Env != nil {
		if value, ok := e.source.Env(name); ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("the environment variable %s is not set", name)
}

func (e expander) file(path string) (string, error) {
	data, err := e.source.ReadFile(resolve(e.source.Name, path))
	if err != nil {
		return "", fmt.Errorf("the file %s cannot be read: %v", path, cause(err))
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return text, nil
}

// cause leaves out the path that an error of the file system repeats.
func cause(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
