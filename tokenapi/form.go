package tokenapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-auth/sallyport/jws"
)

// Bounds of a request's body.
const (
	// maxBody holds a token of 16 KiB in form encoding and what goes with it, in bytes.
	maxBody = 32 << 10
	// maxWebhook is Svix's largest message with room to spare, in bytes.
	maxWebhook = 512 << 10
	// maxParameters is the most parameters of a form.
	maxParameters = 64
)

// fault is what is wrong with a request, as the client reads it.
type fault string

func (f fault) Error() string { return string(f) }

const (
	errFormType fault = "The body must be application/x-www-form-urlencoded."
	errJSONType fault = "The body must be application/json."
	errTooLarge fault = "The body is too large."
	errBody     fault = "The body could not be read."
	errForm     fault = "The body is not a well-formed form."
	errTwice    fault = "A parameter is there more than once."
	errQuery    fault = "Parameters belong in the body, not in the URL."
	errJSON     fault = "The body is not one JSON object with the members that this endpoint takes."
)

// form holds the parameters of a request, each there once and none empty (RFC 6749 section 3.2).
type form map[string]string

// readForm reads the body of a POST. The errors are fixed texts for the client.
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	if r.URL.RawQuery != "" {
		return nil, errQuery
	}
	if !hasType(r, "application/x-www-form-urlencoded") {
		return nil, errFormType
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return nil, err
	}
	return parseForm(string(body))
}

// parseForm reads application/x-www-form-urlencoded. A parameter without a value counts as left out, one that is there
// twice is refused, empty or not (RFC 6749 section 3.2). Unknown ones are kept; whoever asks for the known ones ignores
// them.
func parseForm(body string) (form, error) {
	if strings.Count(body, "&") >= maxParameters {
		return nil, errForm
	}
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, errForm
	}
	f := make(form, len(values))
	for name, list := range values {
		if len(list) > 1 {
			return nil, errTwice
		}
		if list[0] != "" {
			f[name] = list[0]
		}
	}
	return f, nil
}

// readJSON reads the body of a POST as one strict JSON object whose members are all known. An empty body is an empty
// object.
func readJSON(w http.ResponseWriter, r *http.Request, known ...string) (jws.Object, error) {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return jws.Object{}, err
	}
	if len(body) == 0 {
		return jws.Object{}, nil
	}
	if !hasType(r, "application/json") {
		return jws.Object{}, errJSONType
	}
	object, err := jws.ParseObject(body)
	if err != nil {
		return jws.Object{}, errJSON
	}
	for name := range object.Names() {
		if !isKnown(object, name, known) {
			return jws.Object{}, errJSON
		}
	}
	return object, nil
}

// isKnown holds a member to the list and to being a string: no endpoint takes anything else.
func isKnown(object jws.Object, name string, known []string) bool {
	for _, k := range known {
		if k == name {
			_, isString := object.String(name)
			return isString
		}
	}
	return false
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, errBody
	}
	return body, nil
}

func hasType(r *http.Request, want string) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == want
}

// statusOf is the status for an error of readJSON or readBody.
func statusOf(err error) int {
	switch err {
	case errTooLarge:
		return http.StatusRequestEntityTooLarge
	case errJSONType:
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}
