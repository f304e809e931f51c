package nakama

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/photon"
)

// photonRPC answers Photon's custom authentication at
//
//	/v2/rpc/sallyport_photon?http_key=KEY&unwrap
//
// which is the Authentication URL for Photon's dashboard. Once it is called by a server, it answers with status 200
// whatever happens: Photon counts other statuses as outages and pauses authentication for everybody.
type photonRPC struct{ handler *photon.Handler }

// newPhoton returns nil if Photon is not to be answered.
func (m *module) newPhoton() (*photonRPC, error) {
	config := photon.Config{
		Secrets: m.config.PhotonSecrets, InsecureNoSecret: len(m.config.PhotonSecrets) == 0, // the http_key is the proof
		UserID: photon.UserIDForm(m.config.PhotonUserID), SingleRealm: len(m.config.Realms) == 1,
	}
	switch m.config.PhotonTokens {
	case "none":
		return nil, nil
	case "session":
		config.Sessions = m
	case "both":
		config.Sessions = m
		fallthrough
	case "identity":
		config.Identities, config.Revocations = m.identities, m.ledger
	}
	handler, err := photon.New(config)
	if err != nil {
		return nil, fmt.Errorf("sallyport_photon_…: %w", err)
	}
	return &photonRPC{handler}, nil
}

func (p *photonRPC) serve(ctx context.Context, _ runtime.Logger, payload string) (string, error) {
	if !serverCall(ctx) {
		return "", errServers
	}
	query, _ := ctx.Value(runtime.RUNTIME_CTX_QUERY_PARAMS).(map[string][]string)
	if _, unwrapped := query["unwrap"]; !unwrapped {
		return "", errUnwrap // in Nakama's wrapping, Photon would find no ResultCode and leave the client waiting
	}
	headers, _ := ctx.Value(runtime.RUNTIME_CTX_HEADERS).(map[string][]string)
	var answer recorder
	p.handler.ServeHTTP(&answer, photonRequest(ctx, query, headers, payload))
	return answer.body.String(), nil
}

// photonRequest is the request as Photon sent it, without what was meant for Nakama.
func photonRequest(ctx context.Context, query, headers map[string][]string, payload string) *http.Request {
	query = maps.Clone(query)
	delete(query, "unwrap")
	method := http.MethodGet
	if payload != "" {
		method = http.MethodPost
	}
	request := &http.Request{
		Method: method, URL: &url.URL{Path: "/", RawQuery: url.Values(query).Encode()}, Header: http.Header{},
		Body: http.NoBody, ContentLength: int64(len(payload)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if payload != "" {
		request.Body = readCloser{strings.NewReader(payload)}
	}
	for name, values := range headers {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			request.Header["Content-Type"] = values
		}
	}
	return request.WithContext(ctx)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// recorder keeps the body; status and headers are Nakama's to send.
type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = make(http.Header)
	}
	return r.header
}

func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }
func (r *recorder) WriteHeader(int)                {}
