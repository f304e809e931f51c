// Package fakes3 is as much of S3 as Terraform's backend needs: objects, a listing, and writing only where nothing is. It
// remembers how objects were written, and can hold a write back, so that a test sees two runs at once.
//
//	s3 := fakes3.Start(t)
//	tree.Env = append(tree.Env, s3.Env()...)
package fakes3

import (
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Server is an S3 on a loopback port, with every bucket that is asked for.
type Server struct {
	url     string
	mu      sync.Mutex
	objects map[string][]byte
	puts    []Put
	held    map[string]*Hold
}

// Put is how an object was written.
type Put struct {
	// Key is the object's key, without its bucket.
	Key string
	// Header are the request's headers.
	Header http.Header
}

// Hold is a write that is held back.
type Hold struct {
	// Arrived is closed when the write has come.
	Arrived chan struct{}
	release chan struct{}
}

// Release lets the write go on.
func (h *Hold) Release() { close(h.release) }

// Start serves until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{objects: map[string][]byte{}, held: map[string]*Hold{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// Env leads the AWS SDK here, with credentials that are nobody's.
func (s *Server) Env() []string {
	return []string{"AWS_ENDPOINT_URL_S3=" + s.url, "AWS_ACCESS_KEY_ID=nobody", "AWS_SECRET_ACCESS_KEY=nothing"}
}

// Object is the object with a key, nil if there is none.
func (s *Server) Object(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key]
}

// Puts are the writes of an object, in order.
func (s *Server) Puts(key string) []Put {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Put
	for _, p := range s.puts {
		if p.Key == key {
			found = append(found, p)
		}
	}
	return found
}

// Hold holds back the next write of an object.
func (s *Server) Hold(key string) *Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &Hold{Arrived: make(chan struct{}), release: make(chan struct{})}
	s.held[key] = h
	return h
}

// ServeHTTP answers as S3 does, path-style: /BUCKET/KEY.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.Method == http.MethodPut {
		s.wait(key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[key]
	switch {
	case key == "" && r.Method == http.MethodGet:
		s.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodPut && ok && r.Header.Get("If-None-Match") == "*":
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		s.objects[key] = body(r)
		s.puts = append(s.puts, Put{Key: key, Header: r.Header.Clone()})
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(data))))
		if r.Method == http.MethodGet {
			_, _ = w.Write(data)
		}
	}
}

func (s *Server) wait(key string) {
	s.mu.Lock()
	h := s.held[key]
	delete(s.held, key)
	s.mu.Unlock()
	if h != nil {
		close(h.Arrived)
		<-h.release
	}
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

// body takes the chunks out of aws-chunked bodies, which the SDK sends for the sake of checksums at the end.
func body(r *http.Request) []byte {
	data, _ := io.ReadAll(r.Body)
	if !strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return data
	}
	var whole []byte
	for {
		line, rest, ok := strings.Cut(string(data), "\r\n")
		var n int
		if _, err := fmt.Sscanf(line, "%x", &n); !ok || err != nil || n == 0 || n+2 > len(rest) {
			return whole
		}
		whole = append(whole, rest[:n]...)
		data = []byte(rest[n+2:])
	}
}

func (s *Server) list(w http.ResponseWriter, prefix string) {
	type object struct{ Key string }
	result := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}{}
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) {
			result.Contents = append(result.Contents, object{key})
		}
	}
	_ = xml.NewEncoder(w).Encode(result)
}
