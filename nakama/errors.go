package nakama

import (
	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

// The gRPC codes that Nakama makes HTTP statuses of: 400, 401, 403, 409 and 503.
const (
	codeInvalid         = 3
	codeTaken           = 6
	codeForbidden       = 7
	codeUnavailable     = 14
	codeUnauthenticated = 16
)

// The errors that clients get. Their texts are fixed: nothing of a request or a token is in them.
var (
	errNoToken   = runtime.NewError("The identity token is missing: send it as the id, or in the variable token.", codeInvalid)
	errTwoTokens = runtime.NewError("Two different tokens were sent: send one.", codeInvalid)
	errRequest   = runtime.NewError("The request is malformed.", codeInvalid)
	errClosed    = runtime.NewError("This way to sign in is closed: sign in with your identity token.", codeForbidden)
	errLink      = runtime.NewError("Links are closed: use the RPC sallyport_link with your identity token.", codeForbidden)
	errUsername  = runtime.NewError("The username cannot be changed.", codeForbidden)
	errUnlink    = runtime.NewError("This link cannot be removed.", codeForbidden)
	errServers   = runtime.NewError("This RPC is for servers that have the http_key.", codeForbidden)
	errPlayers   = runtime.NewError("This RPC is for signed-in players.", codeForbidden)
	errUnwrap    = runtime.NewError("Add the parameter unwrap to the address.", codeInvalid)
	errTaken     = runtime.NewError("The player has another account already.", codeTaken)
	errLinked    = runtime.NewError("The account belongs to another player already.", codeTaken)
	errRefresh   = runtime.NewError("The session cannot be refreshed: sign in again.", codeUnauthenticated)
	errInternal  = runtime.NewError("The request cannot be answered at the moment: try again shortly.", codeUnavailable)
)

var refusalTexts = map[jws.Reason]string{
	jws.Expired: "The token has expired: get a new one.",
	jws.Revoked: "The session has ended: sign in again.",
	jws.Banned:  "The player is banned.",
}

// asError makes what a client gets of an error of a verifier or ledger.
func asError(err error) error {
	text, found := refusalTexts[jws.ReasonOf(err)]
	if !found {
		text = "The token was refused: sign in again."
	}
	switch connect.StatusOf(err) {
	case 400:
		return errRequest
	case 403:
		return runtime.NewError(text, codeForbidden)
	case 503:
		return errInternal
	}
	return runtime.NewError(text, codeUnauthenticated)
}
