// Package nodes holds tests of several nodes over one store: real processes with real sockets, a real Redis, and faults
// between them. Each prints its figure:
//
//	go test -v
//
// With SALLYPORT_TEST_LONG=1 they are as long as their promises; without, they fit into make test.
package nodes
