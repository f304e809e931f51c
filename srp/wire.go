package srp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	// apiTarget is the prefix of the X-Amz-Target header, which names the operation.
	apiTarget = "AWSCognitoIdentityProviderService."
	// apiContentType is that of the AWS JSON protocol, version 1.1.
	apiContentType = "application/x-amz-json-1.1"
	// maxAnswerBytes is the longest answer read.
	maxAnswerBytes = 256 << 10
	// callTimeout is that of the default HTTP client.
	callTimeout = 15 * time.Second
)

// authRequest is InitiateAuth and RespondToAuthChallenge in one.
type authRequest struct {
	AuthFlow           string            `json:"AuthFlow,omitempty"`
	ClientID           string            `json:"ClientId"`
	AuthParameters     map[string]string `json:"AuthParameters,omitempty"`
	ChallengeName      string            `json:"ChallengeName,omitempty"`
	ChallengeResponses map[string]string `json:"ChallengeResponses,omitempty"`
	Session            string            `json:"Session,omitempty"`
}

// answer is that of both operations: a further challenge or tokens.
type answer struct {
	ChallengeName        string
	ChallengeParameters  map[string]string
	Session              string
	AuthenticationResult *struct {
		AccessToken, RefreshToken string
		IDToken                   string `json:"IdToken"`
		ExpiresIn                 int64
	}
}

func (a answer) tokens() (Tokens, error) {
	r := a.AuthenticationResult
	if r == nil {
		return Tokens{}, &ChallengeError{safeName(a.ChallengeName)}
	}
	return Tokens{
		IDToken:      r.IDToken,
		AccessToken:  r.AccessToken,
		RefreshToken: r.RefreshToken,
		ExpiresIn:    time.Duration(r.ExpiresIn) * time.Second,
	}, nil
}

// caller calls unsigned operations of the Cognito API.
type caller struct {
	endpoint string
	http     *http.Client
}

func newCaller(endpoint string, client *http.Client) caller {
	own := http.Client{Timeout: callTimeout}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return caller{endpoint: endpoint, http: &own}
}

func (c caller) call(ctx context.Context, operation string, in authRequest) (answer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return answer{}, fmt.Errorf("srp: %s: %w", operation, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return answer{}, &ParameterError{"LoginConfig.Endpoint", "is not a URL"}
	}
	req.Header.Set("Content-Type", apiContentType)
	req.Header.Set("X-Amz-Target", apiTarget+operation)
	req.Header.Set("Cache-Control", "no-store")
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("srp: %s: the user pool cannot be reached: %w", operation, withoutURL(err))
	}
	defer resp.Body.Close()
	return read200(operation, resp)
}

// withoutURL drops the *url.Error, whose text repeats what the operator configured and may hold.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func read200(operation string, resp *http.Response) (answer, error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes+1))
	if err != nil {
		return answer{}, fmt.Errorf("srp: %s: reading the answer: %w", operation, err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer{}, refusal(operation, resp, data)
	}
	var out answer
	if len(data) > maxAnswerBytes || json.Unmarshal(data, &out) != nil {
		return answer{}, &APIError{Operation: operation, Code: "(unreadable answer)", Status: resp.StatusCode}
	}
	return out, nil
}

// refusal reads the exception's name as the AWS SDKs do: from the header, else from the body.
func refusal(operation string, resp *http.Response, body []byte) error {
	code := resp.Header.Get("X-Amzn-Errortype")
	if code == "" {
		var named struct {
			Type string `json:"__type"`
		}
		if json.Unmarshal(body, &named) == nil {
			code = named.Type
		}
	}
	code = safeName(exceptionName(code))
	switch code {
	case "NotAuthorizedException":
		return ErrNotAuthorized
	case "UserNotFoundException":
		return ErrUserNotFound
	case "UserNotConfirmedException":
		return ErrUserNotConfirmed
	case "PasswordResetRequiredException":
		return ErrPasswordResetRequired
	}
	return &APIError{Operation: operation, Code: code, Status: resp.StatusCode}
}

// exceptionName takes the bare name out of "namespace#Name:https://…".
func exceptionName(code string) string {
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	name, _, _ := strings.Cut(code, ":")
	return name
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// safeName lets through what looks like the name of an exception or a challenge and nothing else, so that an answer
// cannot put text of its own into errors and logs.
func safeName(name string) string {
	if nameForm.MatchString(name) {
		return name
	}
	return ""
}
