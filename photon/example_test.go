package photon_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/photon"
	"github.com/sallyport-auth/sallyport/session"
)

func ExampleNew() {
	key := testvectors.Secret("nakama") // Nakama's session.encryption_key
	now := func() time.Time { return testvectors.Now }
	verifier, err := session.NewNakamaVerifier(session.NakamaConfig{
		Realm: "players", Keys: [][]byte{key}, Aliases: session.AliasOptional, InsecureNoLedger: true, Now: now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := photon.New(photon.Config{
		Sessions: verifier,
		Secrets:  []string{"mJ0fPq7Zr2b8QvXc"}, // the pair secret = mJ0fPq7Zr2b8QvXc in Photon's dashboard
		UserID:   photon.BackendUserID,
		OnResult: func(_ context.Context, r photon.Result) { fmt.Printf("log: %d %q\n", r.Code, jws.ReasonOf(r.Err)) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/photon", handler)

	// What Photon's server sends for SetAuthPostData(new Dictionary<string, object> { { "token", sessionToken } }).
	for _, sessionToken := range []string{signNakama(key), "not a token"} {
		request := httptest.NewRequest(http.MethodPost, "/v1/photon?secret=mJ0fPq7Zr2b8QvXc",
			strings.NewReader(`{"token":"`+sessionToken+`"}`))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		body, _ := io.ReadAll(answer.Body)
		fmt.Println(answer.Code, string(body))
	}
	// Output:
	// log: 1 ""
	// 200 {"ResultCode":1,"UserId":"6f1c2d8e-0b5a-4c37-9e21-7d4b8a0c5f13","Nickname":"Ada","ExpireAt":1793541600}
	// log: 2 "malformed"
	// 200 {"ResultCode":2,"Message":"The token is malformed: send it as it was issued."}
}

// signNakama makes a session token as Nakama does.
func signNakama(key []byte) string {
	signer, err := jws.NewSecretSigner("", key)
	if err != nil {
		return err.Error()
	}
	token, err := signer.Sign("JWT", fmt.Appendf(nil,
		`{"tid":"0b9d5c1e-53f4-4f0e-8a6e-0c1f2a3b4c5d","uid":"6f1c2d8e-0b5a-4c37-9e21-7d4b8a0c5f13","usn":"Ada","exp":%d,"iat":%d}`,
		testvectors.Now.Add(2*time.Hour).Unix(), testvectors.Now.Unix()))
	if err != nil {
		return err.Error()
	}
	return token
}

func ExampleNew_missingSecret() {
	_, err := photon.New(photon.Config{Sessions: sessions{}})
	fmt.Println(err)
	// Output: photon: Config.Secrets is empty: set the dashboard's secret, or InsecureNoSecret
}
