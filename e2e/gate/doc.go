// Package gate holds tests of the doors against what stands on either side of them in real life. There is nothing in it to import.
//
//   - nginx and Caddy ask /verify before they let a request pass
//   - the gate stands before a Colyseus and a plain WebSocket server, and ends sockets for every reason there is: @colyseus/sdk,
//     nakama-js, ws and a headless Chromium see the code that docs/close-codes.md says, and do what it says
//   - a suite in the groups of the Autobahn suite, which is a Python package and cannot be had here, says what a client hears of a
//     server without and with the gate: the same, but for listed differences
//   - HAProxy, as a balancer of the fourth layer that forgets connections after 3 s, stands before the gate
//   - toxiproxy makes faults between the gate and the server
//   - "sallyport serve" runs as its users run it, and all that it says is searched for secrets
//
// HAProxy has nothing that asks /verify, and Traefik and Envoy cannot be had as a Debian package or by "go install": their
// forms of the question are tested over HTTP in package tokenapi, with the requests that they document.
//
// Tests print what they measured behind the word FIGURE:
//
//	go test -v . | grep FIGURE
//
// The commands of the file needs must be installed besides Node.js 20 with npm; scripts/test does that. The npm packages come by
// "npm install" when they are missing.
package gate
