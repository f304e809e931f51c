// Package bolt is the durable store of a single node: one file, made with bbolt, that keeps revocations, refresh families
// and tickets over restarts, crashes and kill -9.
//
//	store, err := bolt.Open(bolt.Config{Path: "/var/lib/sallyport/store.db"})
//	…
//	defer store.Close()
//	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
//	issuer, err := session.NewIssuer(session.IssuerConfig{Families: store, Ledger: ledger, …})
//
// A call that changes something returns when it is on the disk: fdatasync came back. Callers that write at the same time
// share one commit, so a hundred revocations at once cost as much as one. Nothing is cached here: a [session.Ledger] has
// the revocations in memory already, and what it verifies never asks the store.
//
// [Open] reads the whole file and refuses one that is damaged ([ErrCorrupt]), in use ([ErrInUse]) or written by a newer
// version ([ErrFormat]); it never begins anew on its own. Once a commit has failed the outcome is unknown, and the store
// refuses everything, wrapping [session.ErrStoreUnavailable], until the process opens it again. [Check] and [Compact] are
// for the command line and need the store closed.
//
// What has expired is removed with each commit and every minute. The file does not shrink by that, the space is used
// again; Compact gives it back. The file has mode 0600: it holds the secrets that refresh tokens are derived from. It
// must be on a local disk, not on NFS.
package bolt
