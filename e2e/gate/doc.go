// Package gate holds tests of the doors against what stands on either side of them in real life. There is nothing in it to import.
//
//   - nginx and Caddy ask /verify before they let a request pass
//   - the gate stands before a Colyseus and a plain WebSocket server, and ends sockets for every reason there is: @colyseus/sdk,
//     nakama-js, ws and a headless Chromium see the code that docs/close-codes.md says, and do what it says
//
// The commands of the file needs must be installed besides Node.js 20 with npm; scripts/test does that. The npm packages come by
// "npm ci" when they are missing.
package gate
