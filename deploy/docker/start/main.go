// Command start is what a task in AWS runs first: it makes the files that the real command reads out of the task's environment, and
// then becomes that command. Secrets Manager gives a task variables, Fargate has no secret files, and an image without a shell has
// no other way from the one to the other.
//
//	START_FILES='{"nakama.yaml": "NAKAMA_CONFIG"}' START_TLS_SEED=… START_TLS_NAMES=backend.game.internal \
//		/start /nakama/nakama --config /run/sallyport/nakama.yaml
//
// Everything goes to /run/sallyport, a volume of the task that only its user reads:
//
//   - START_FILES names files and the variable that each is made of. In their text ${NAME} is replaced by that variable, ${json:NAME}
//     by it as a JSON (and so YAML) string, ${url:NAME} percent-encoded; $${ stands for ${. The file sallyport.yaml is left as it is,
//     because sallyport replaces variables itself, after it has read the YAML.
//   - START_TLS_SEED makes the same certificate authority in every task that has it: authorities/tasks.crt. With START_TLS_NAMES
//     (DNS names, separated by commas) the task gets a certificate of it: tls.crt and tls.key. Its key is new with each task.
//   - START_TLS_CERTIFICATE and START_TLS_KEY (PEM) are used as tls.crt and tls.key instead, where they are given.
//
// The command does not get the variables that begin with START_.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const folder = "/run/sallyport"

// verbatim is the file whose variables are replaced by its reader.
const verbatim = "sallyport.yaml"

func main() {
	fmt.Fprintln(os.Stderr, "start:", run(os.Args[1:], folder))
	os.Exit(1)
}

// run becomes the command; it returns only when that fails.
func run(command []string, folder string) error {
	if len(command) == 0 {
		return errors.New("the command to become is missing")
	}
	if err := prepare(folder, os.LookupEnv, time.Now()); err != nil {
		return err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, syscall.Exec(path, command, inherited(os.Environ())))
}

// inherited is the environment without what is for start alone.
func inherited(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "START_") })
}

// prepare makes the files. Errors name variables and files, never values.
func prepare(folder string, lookup func(string) (string, bool), now time.Time) error {
	if err := writeFiles(folder, lookup); err != nil {
		return err
	}
	return writeTLS(folder, lookup, now)
}

func writeFiles(folder string, lookup func(string) (string, bool)) error {
	list, _ := lookup("START_FILES")
	if list == "" {
		return nil
	}
	var files map[string]string
	if err := json.Unmarshal([]byte(list), &files); err != nil {
		return errors.New("START_FILES is no JSON object of file names and variables")
	}
	for name, variable := range files {
		text, ok := lookup(variable)
		switch {
		case name != filepath.Base(name) || strings.HasPrefix(name, "."):
			return fmt.Errorf("START_FILES: %q is no plain file name", name)
		case !ok:
			return fmt.Errorf("%s is made of the variable %s, which is not set", name, variable)
		}
		if name != verbatim {
			var err error
			if text, err = replace(text, lookup); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := write(filepath.Join(folder, name), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

var reference = regexp.MustCompile(`\$\$\{|\$\{(?:(json|url):)?([A-Za-z_][A-Za-z0-9_]*)\}`)

// replace puts variables in place of the references to them, each once: what a value holds is never a reference.
func replace(text string, lookup func(string) (string, bool)) (string, error) {
	var missing error
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$${" {
			return "${"
		}
		m := reference.FindStringSubmatch(found)
		value, ok := lookup(m[2])
		if !ok {
			missing = fmt.Errorf("the variable %s is not set", m[2])
		}
		switch m[1] {
		case "json":
			quoted, _ := json.Marshal(value)
			return string(quoted)
		case "url":
			// A space is %20 in every part of a URL, and + only in a query.
			return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		return value
	})
	return text, missing
}

// write makes a file that only this user reads. The task may have been started again in the same volume.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
