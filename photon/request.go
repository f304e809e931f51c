package photon

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/url"
	"strings"
)

// parameters are what the handler takes from a request. A nil pointer means that the parameter is not there.
type parameters struct {
	secret, token *string
}

// problem is what is wrong with a request, as the client gets to read it.
type problem string

// names are what the two parameters are called.
type names struct {
	secret, token string
	// noSecret says that the secret is not wanted.
	noSecret bool
}

// sameName compares parameter names as Photon's servers do: without regard to case.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// parse reads the parameters from the query and the body. The query wins for each parameter that it has, and the body
// is not looked at if it has all that is wanted: the game may post there what it likes.
func (n names) parse(rawQuery, contentType string, body []byte) (parameters, problem) {
	p, trouble := n.fromForm(rawQuery, badQuery)
	if trouble != "" || p.token != nil && (n.noSecret || p.secret != nil) {
		return p, trouble
	}
	fromBody, trouble := n.fromBody(contentType, body)
	if trouble != "" {
		return parameters{}, trouble
	}
	if p.secret == nil {
		p.secret = fromBody.secret
	}
	if p.token == nil {
		p.token = fromBody.token
	}
	return p, ""
}

// fromForm reads a query or a form body.
func (n names) fromForm(text string, malformed problem) (parameters, problem) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return parameters{}, malformed
	}
	var p parameters
	for name, all := range values {
		for _, value := range all {
			if !n.set(&p, name, value) {
				return parameters{}, parameterTwice
			}
		}
	}
	return p, ""
}

// set notes a parameter if it is one of the two, and says no if it was there already.
func (n names) set(p *parameters, name, value string) bool {
	field := &p.token
	switch {
	case sameName(name, n.secret):
		field = &p.secret
	case !sameName(name, n.token):
		return true
	}
	if *field != nil {
		return false
	}
	*field = &value
	return true
}

// fromBody reads a POST body. Photon sends a dictionary as application/json, a string or bytes without a content type.
func (n names) fromBody(contentType string, body []byte) (parameters, problem) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return parameters{}, ""
	}
	media := ""
	if contentType != "" {
		parsed, _, err := mime.ParseMediaType(contentType)
		if err != nil {
			return parameters{}, badContentType
		}
		media = parsed
	}
	switch media {
	case "application/json":
		return n.fromDictionary(body)
	case "application/x-www-form-urlencoded":
		return n.fromForm(string(body), badForm)
	case "", "text/plain", "application/octet-stream":
		return n.fromText(body)
	}
	return parameters{}, badContentType
}

// fromText reads a body without a telling type: a dictionary, a form, or the token itself. No token has "{" or "=" in
// it: it is base64url and dots (RFC 7515 section 7.1).
func (n names) fromText(body []byte) (parameters, problem) {
	switch {
	case body[0] == '{':
		return n.fromDictionary(body)
	case bytes.IndexByte(body, '=') >= 0:
		return n.fromForm(string(body), badForm)
	}
	token := string(body)
	return parameters{token: &token}, ""
}

// fromDictionary reads a JSON object. Only the two parameters are looked at; the game may send whatever else it likes.
func (n names) fromDictionary(body []byte) (parameters, problem) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return parameters{}, badDictionary
	}
	var p parameters
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return parameters{}, badDictionary
		}
		text, _ := name.(string)
		if trouble := n.member(&p, decoder, text); trouble != "" {
			return parameters{}, trouble
		}
	}
	if _, err := decoder.Token(); err != nil {
		return parameters{}, badDictionary
	}
	if _, err := decoder.Token(); err != io.EOF {
		return parameters{}, badDictionary
	}
	return p, ""
}

// member reads one member of a dictionary.
func (n names) member(p *parameters, decoder *json.Decoder, name string) problem {
	var value json.RawMessage
	if err := decoder.Decode(&value); err != nil {
		return badDictionary
	}
	if !sameName(name, n.secret) && !sameName(name, n.token) {
		return ""
	}
	var text *string
	switch err := json.Unmarshal(value, &text); {
	case err != nil || text == nil:
		return parameterNoString
	case !n.set(p, name, *text):
		return parameterTwice
	}
	return ""
}
