package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxInput is the most that is read of a secret or token.
const maxInput = 64 << 10

// secret returns a secret from an environment variable, from the terminal without echo, or else the first line of standard
// input.
func (p Process) secret(env, prompt string) (string, error) {
	if value, ok := p.Env(env); ok && value != "" {
		return value, nil
	}
	if file, ok := p.In.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprintf(p.Err, "%s: ", prompt)
		typed, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(p.Err)
		return nonEmpty(string(typed), err, env, prompt)
	}
	line, err := bufio.NewReader(io.LimitReader(p.In, maxInput)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return nonEmpty(strings.TrimRight(line, "\r\n"), err, env, prompt)
}

func nonEmpty(value string, err error, env, prompt string) (string, error) {
	if err == nil && value == "" {
		err = fmt.Errorf("no %s: give it in %s, on the terminal, or as the first line of standard input", strings.ToLower(prompt), env)
	}
	return value, err
}

// token returns the token on standard input, without the white space around it.
func (p Process) token() (string, error) {
	data, err := io.ReadAll(io.LimitReader(p.In, maxInput))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", errors.New("no token on standard input")
	}
	return token, nil
}
