// Package gate holds tests of the doors against the servers that others put before their games: nginx and Caddy that ask /verify
// before they let a request pass. There is nothing in it to import.
//
//	go test ./gate
//
// The commands nginx and caddy must be installed; scripts/test does that.
package gate
