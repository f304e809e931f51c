// Package wsframe reads and writes the frames of RFC 6455 section 5.2 for those who pass WebSockets on: headers are
// judged as strictly as a direct peer would, payload is neither copied nor changed.
//
// A [Reader] follows one direction of a connection. It is given bytes as they come, in any pieces, and says for each
// piece where it belongs:
//
//	var in wsframe.Reader                       // frames from a client
//	rules := wsframe.Rules{Masked: true, MaxMessage: 1 << 20}
//	for len(b) > 0 {
//		piece, n, err := in.Next(b, &rules)
//		if err != nil {
//			return err // a *Violation; what was before it was good
//		}
//		if n == 0 {
//			break // the rest of b is the beginning of a header or control frame: give it again with more
//		}
//		pass(piece, b[:n])
//		b = b[n:]
//	}
//
// [Header.Append], [AppendClose] and [Mask] make frames. UTF-8 and close payloads are the business of the two ends.
package wsframe
