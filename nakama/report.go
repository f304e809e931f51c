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
	"sync/atomic"
	"time"

	"github.com/heroiclabs/nakama-common/runtime"
)

const (
	reportsWaiting = 1024
	reportTries    = 8 // over about 13 s
	firstPause     = 100 * time.Millisecond
)

// order is what a caller asks of the server's /v1/admin endpoints.
type order struct {
	action  string          // the endpoint: revoke, cutoff or alias
	done    func(told bool) // called once, when it was told or given up; may be nil
	Session string          `json:"session,omitempty"`
	Realm   string          `json:"realm,omitempty"`
	Subject string          `json:"subject,omitempty"`
	UserID  string          `json:"user_id,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

func (o order) end(told bool) {
	if o.done != nil {
		o.done(told)
	}
}

// reporter tells the server of something, beside the requests. Its log has one line when that begins to fail and one
// when it works again, however many reports there are.
type reporter struct {
	what             string // for the log
	logger           runtime.Logger
	client           *http.Client
	server           string
	clientID, secret string
	waiting          chan order
	failing          atomic.Bool
	lost             atomic.Int64 // since it failed
}

func newReporter(m *module, what string) *reporter {
	return &reporter{
		what: what, logger: m.logger, client: m.client, server: strings.TrimSuffix(m.config.Server, "/"), clientID: m.config.ClientID,
		secret: m.config.ClientSecret, waiting: make(chan order, reportsWaiting),
	}
}

func (r *reporter) add(o order) {
	select {
	case r.waiting <- o:
	default:
		r.failed("too many are waiting")
		r.lost.Add(1)
		o.end(false)
	}
}

func (r *reporter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-r.waiting:
			told := false
			_ = guarded(r.logger, "the report of "+r.what, func() error { told = r.deliver(ctx, o); return nil })
			o.end(told)
		}
	}
}

// deliver tries until the server takes the order, or says that it never will.
func (r *reporter) deliver(ctx context.Context, o order) bool {
	pause := firstPause
	for try := 1; ; try++ {
		status, err := r.post(ctx, o)
		if err == nil {
			r.works()
			return true
		}
		r.failed(err.Error())
		if try == reportTries || final(status) {
			r.lost.Add(1)
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// final says whether the same request would get the same answer again.
func final(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

func (r *reporter) failed(why string) {
	if !r.failing.Swap(true) {
		r.logger.Error("sallyport: the server cannot be told of %s: %s", r.what, why)
	}
}

func (r *reporter) works() {
	if r.failing.Swap(false) {
		r.logger.Info("sallyport: the server is told of %s again; %d were lost", r.what, r.lost.Swap(0))
	}
}

// post sends one order. HTTP Basic as RFC 6749 section 2.3.1 has it: both parts form-urlencoded first. Its errors have
// nothing of the order.
func (r *reporter) post(ctx context.Context, o order) (status int, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server+"/v1/admin/"+o.action, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(url.QueryEscape(r.clientID), url.QueryEscape(r.secret))
	answer, err := r.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	switch {
	case answer.StatusCode == http.StatusForbidden:
		return answer.StatusCode, fmt.Errorf("status 403 of /v1/admin/%s: see the caller's \"may\" in its configuration", o.action)
	case answer.StatusCode >= 300:
		return answer.StatusCode, fmt.Errorf("status %d of /v1/admin/%s", answer.StatusCode, o.action)
	}
	return answer.StatusCode, nil
}
