package edge_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/edge"
)

// TestAnswersReadWholeKeepTheirHeaders signs players in side by side, over few connections to the backend: what belongs to the answer
// of one must not be told another.
func TestAnswersReadWholeKeepTheirHeaders(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ ID string }
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &asked)
		w.Header().Set("X-For", asked.ID)
		_ = json.NewEncoder(w).Encode(map[string]any{"token": token(t, sessionKey, "ada", "s", time.Hour), "refresh_token": token(t, refreshKey, "ada", "s", time.Hour)})
	})
	routes := edge.Nakama(edge.NakamaConfig{Backend: b.URL, ServerKey: "the-server-key", SessionKeys: [][]byte{sessionKey}, RefreshKeys: [][]byte{refreshKey}})
	w := newWorld(t, routes, nil)
	var players sync.WaitGroup
	for p := range 8 {
		players.Go(func() {
			subject := fmt.Sprint("player-", p)
			for range 40 {
				c, err := w.postFor(t, `{"id":"identity-`+subject+`"}`)
				if err != nil || c != subject {
					t.Errorf("%s was told the headers for %q, %v", subject, c, err)
				}
			}
		})
	}
	players.Wait()
}

// postFor signs in and returns whom the answer's header is for.
func (w *world) postFor(t *testing.T, body string) (string, error) {
	answer, _ := do(t, http.MethodPost, w.url("/v2/account/authenticate/custom"), strings.NewReader(body), nil)
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", answer.StatusCode)
	}
	return answer.Header.Get("X-For"), nil
}
