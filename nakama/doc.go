// Package nakama is Sallyport inside Nakama: hooks and RPCs that let in only players whose identity token was verified,
// and that end what was revoked. Folder plugin makes a Go runtime plugin of it:
//
//	make plugin NAKAMA=3.40.0        # bin/nakama-3.40.0/sallyport.so
//
// Put the file into Nakama's runtime.path and say in runtime.env which identity provider is trusted; [Config] is the
// manual of the keys. A key that is missing, wrong or unknown ends the start of Nakama with an error that names it.
//
// A runtime plugin of your own can do the same with one call in its InitModule:
//
//	func InitModule(ctx context.Context, logger runtime.Logger, db *sql.DB, nk runtime.NakamaModule, init runtime.Initializer) error {
//		return nakama.Register(ctx, logger, db, nk, init)
//	}
//
// # What it does
//
// A client calls AuthenticateCustom with its identity token as the id, or in the variable "token". The token is verified,
// the id is overwritten by the player's, the username by policy, and the variables by verified ones under a seal. Every
// other way to authenticate, link or unlink is closed unless [Config] opens it, because a client chooses those ids
// freely; a refresh keeps the sealed variables and drops the client's.
//
// The RPC sallyport_link gives an account that exists (a device's) its verified player. sallyport_verify and
// sallyport_photon tell servers that have the http_key whose a token is, and ask Nakama itself so that its logouts count.
//
// Revocations come from a Sallyport server's event feed. They are honoured by every hook and RPC, end the player's sockets
// on this node, and put the player's tokens on Nakama's own deny list.
package nakama
