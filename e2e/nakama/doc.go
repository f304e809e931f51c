// Package nakama holds no code: its tests run Nakama itself, as a tool that go.mod pins, on a PostgreSQL of their own, with
// Sallyport as a plugin in it or as a gate before it, and play against it with Nakama's own JavaScript client.
//
// What is started listens on free loopback ports and ends with the tests, also with those that are killed. A run with an empty
// build cache compiles Nakama, which takes two minutes of processor time; docs/nakama.md says what the whole of it takes.
//
// Tests print what they measured behind the word FIGURE:
//
//	go test -v . | grep FIGURE
package nakama
