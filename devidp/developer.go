package devidp

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// serveDeveloper answers what Cognito has no counterpart for. Web pages are refused: one that a developer happens
// to visit must not read codes or rotate keys. The address bar is not.
func (p *Provider) serveDeveloper(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case r.Header.Get("Origin") != "" || site != "" && site != "none":
		http.Error(w, "devidp: not for web pages", http.StatusForbidden)
	case r.URL.Path == "/devidp/codes" && r.Method == http.MethodGet:
		writeJSON(w, struct {
			Codes []Code `json:"codes"`
		}{p.Codes(r.URL.Query().Get("username"))})
	case r.URL.Path == "/devidp/rotate-keys" && r.Method == http.MethodPost:
		p.serveRotation(w, r)
	default:
		http.NotFound(w, r)
	}
}

// serveRotation takes the query parameter drop=true, which also withdraws the old keys.
func (p *Provider) serveRotation(w http.ResponseWriter, r *http.Request) {
	drop := false
	if text := r.URL.Query().Get("drop"); text != "" {
		var err error
		if drop, err = strconv.ParseBool(text); err != nil {
			http.Error(w, "devidp: drop must be true or false", http.StatusBadRequest)
			return
		}
	}
	if err := p.RotateKeys(drop); err != nil {
		http.Error(w, "devidp: the keys could not be rotated", http.StatusInternalServerError)
		return
	}
	writeJSON(w, struct {
		KeyIDs []string `json:"kids"`
	}{p.keyIDs()})
}

func writeJSON[T any](w http.ResponseWriter, value T) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
