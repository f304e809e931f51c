package nakama

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"
)

const (
	reportsWaiting = 1024
	reportTries    = 8 // over about 13 s
	firstPause     = 100 * time.Millisecond
)

// order is what a caller asks of the server's /v1/admin endpoints: a session to revoke, or a player to cut off.
type order struct {
	Session string `json:"session,omitempty"`
	Realm   string `json:"realm,omitempty"`
	Subject string `json:"subject,omitempty"`
	Reason  string `json:"reason"`
}

// reporter tells the server of logouts, one after the other, beside the requests.
type reporter struct {
	logger           runtime.Logger
	client           *http.Client
	server           string
	clientID, secret string
	waiting          chan order
}

func newReporter(m *module) *reporter {
	return &reporter{
		logger: m.logger, client: m.client, server: strings.TrimSuffix(m.config.Server, "/"), clientID: m.config.ClientID,
		secret: m.config.ClientSecret, waiting: make(chan order, reportsWaiting),
	}
}

func (r *reporter) add(o order) {
	o.Reason = signedOut
	select {
	case r.waiting <- o:
	default:
		r.logger.Error("sallyport: a logout is not reported to the server: too many are waiting")
	}
}

func (r *reporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-r.waiting:
			_ = guarded(r.logger, "the report of a logout", func() error { r.deliver(ctx, o); return nil })
		}
	}
}

func (r *reporter) deliver(ctx context.Context, o order) {
	pause := firstPause
	for try := 1; ; try++ {
		err := r.post(ctx, o)
		if err == nil {
			return
		}
		if try == reportTries {
			r.logger.Error("sallyport: a logout could not be reported to the server: %v", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// post sends one order. HTTP Basic as RFC 6749 section 2.3.1 has it: both parts form-urlencoded first.
func (r *reporter) post(ctx context.Context, o order) error {
	action := "revoke"
	if o.Session == "" {
		action = "cutoff"
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server+"/v1/admin/"+action, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(url.QueryEscape(r.clientID), url.QueryEscape(r.secret))
	answer, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode >= 300 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}
