// Package nakama holds no code: its tests run Nakama itself, as a tool that go.mod pins, on a PostgreSQL of their own, with
// Sallyport as a plugin in it or as a gate before it, and play against it with Nakama's own JavaScript client.
//
// What is started listens on free loopback ports and ends with the tests, also with those that are killed. A cold run
// compiles Nakama, which takes two minutes of processor time.
package nakama
