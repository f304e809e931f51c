package app

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/server/internal/config"
)

// ofRoute is how package edge names the route that an error is about.
var ofRoute = regexp.MustCompile(`^edge: Routes\[(\d+)\](?: \("[^"]*"\))?: `)

// gateProblem says what package edge says of a gate, at the place in the file and in the file's words.
func gateProblem(file *config.File, err error) error {
	text := err.Error()
	match := ofRoute.FindStringSubmatch(text)
	if match == nil {
		return file.Problem("gate", errors.New(config.GateWords(strings.TrimPrefix(text, "edge: "))))
	}
	n, _ := strconv.Atoi(match[1]) // it consists of digits
	return file.Problem(file.GateRoutePath(n), errors.New(config.GateWords(text[len(match[0]):])))
}
