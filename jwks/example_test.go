package jwks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport-auth/sallyport/jwks"
	"github.com/sallyport-auth/sallyport/jws"
)

func ExampleNew() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-11",`+
			`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	}))
	defer issuer.Close()

	keys, err := jwks.New(jwks.Config{URL: issuer.URL + "/.well-known/jwks.json", TTL: 15 * time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keys.Close()

	// A verifier does this; keys is the Keys of its jws.Config.
	found, err := keys.Keys(context.Background(), jws.Header{Algorithm: jws.EdDSA, KeyID: "2026-11"})
	fmt.Println(len(found), err)
	_, err = keys.Keys(context.Background(), jws.Header{Algorithm: jws.EdDSA, KeyID: "1999-01"})
	fmt.Println(jws.ReasonOf(err))
	fmt.Println("ready:", keys.State().Ready)
	// Output:
	// 1 <nil>
	// unknown_key
	// ready: true
}

func ExampleConfig_validation() {
	_, err := jwks.New(jwks.Config{URL: "http://issuer.example/jwks.json"})
	fmt.Println(err)
	// Output: jwks: Config.URL is not https (http will do on a loopback address alone)
}

func ExampleSet_Refresh() {
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	keys, err := jwks.New(jwks.Config{Discovery: issuer.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer keys.Close()

	// At the start of a program: find out whether the issuer answers, and go on if it does not.
	if err := keys.Refresh(context.Background()); err != nil {
		state := keys.State()
		fmt.Println("ready:", state.Ready, "failures:", state.Failures)
	}
	// Output: ready: false failures: 1
}
