package deploy

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

// bucket is as much of S3 as Terraform's backend needs: objects, a listing, and writing only where nothing is.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func newBucket(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(&bucket{objects: map[string][]byte{}})
	t.Cleanup(server.Close)
	return server.URL
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	data, ok := b.objects[key]
	switch {
	case key == "" && r.Method == http.MethodGet:
		b.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodPut && ok && r.Header.Get("If-None-Match") == "*":
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		b.objects[key] = body(r)
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
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
		if _, err := fmt.Sscanf(line, "%x", &n); !ok || err != nil || n == 0 {
			return whole
		}
		whole = append(whole, rest[:n]...)
		data = []byte(rest[n+2:])
	}
}

func (b *bucket) list(w http.ResponseWriter, prefix string) {
	type object struct{ Key string }
	result := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}{}
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) {
			result.Contents = append(result.Contents, object{key})
		}
	}
	_ = xml.NewEncoder(w).Encode(result)
}
