package edge

import (
	"crypto/sha1" // RFC 6455 section 1.3 has it; nothing is secret here
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/http1"
	"github.com/sallyport-auth/sallyport/internal/upstream"
)

// handshake is what a client offers in its upgrade.
type handshake struct {
	key        string
	protocols  []string // without the one that carries a token
	extensions []string // the header values
}

// checkHandshake holds an upgrade against RFC 6455 section 4.2.1 before anything else is looked at, and against the route. HTTP/2
// has another way to open sockets (RFC 8441), which is neither offered nor taken: browsers that use it have broken before.
func (x *exchange) checkHandshake() bool {
	version := x.r.Header["Sec-Websocket-Version"]
	switch {
	case x.route.Socket == nil:
		x.refuse(badUpgrade)
	case !x.upgrade:
		x.w.Header().Set("Upgrade", "websocket")
		x.refuse(needsUpgrade)
	case x.r.ProtoMajor != 1 || x.r.ProtoMinor != 1 || !x.isHandshake():
		x.refuse(badUpgrade)
	case len(version) != 1 || version[0] != "13":
		x.w.Header().Set("Upgrade", "websocket")
		x.w.Header().Set("Sec-WebSocket-Version", "13")
		x.refuse(needsUpgrade)
	case !x.route.Socket.originMay(x.r):
		x.refuse(wrongOrigin)
	case !x.gate.limits.begin(x.client, x.now()):
		x.refuse(tooMany)
	default:
		x.limited = true
		return true
	}
	return false
}

func (x *exchange) isHandshake() bool {
	header := x.r.Header
	upgrade, keys := header["Upgrade"], header["Sec-Websocket-Key"]
	if len(upgrade) != 1 || !strings.EqualFold(upgrade[0], "websocket") || len(keys) != 1 || x.r.ContentLength != 0 {
		return false
	}
	if !http1.HasToken(strings.Join(header["Connection"], ","), "upgrade") {
		return false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(keys[0])
	return err == nil && len(key) == 16 && len(keys[0]) == 24
}

// offer reads what the client offers, without the subprotocol that carries a token, and without compression where a
// heartbeat is known by its text.
func (x *exchange) offer() handshake {
	h := handshake{key: x.r.Header["Sec-Websocket-Key"][0]}
	if x.route.Socket.Heartbeat == "" {
		h.extensions = x.r.Header["Sec-Websocket-Extensions"]
	}
	for _, value := range x.r.Header["Sec-Websocket-Protocol"] {
		for protocol := range strings.SplitSeq(value, ",") {
			protocol = strings.Trim(protocol, " \t")
			if protocol != "" && !strings.HasPrefix(protocol, connect.SubprotocolPrefix) {
				h.protocols = append(h.protocols, protocol)
			}
		}
	}
	return h
}

// accept is the answer to a key (RFC 6455 section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// append appends the handshake to the head of a request.
func (h *handshake) append(head []byte) []byte {
	head = appendField(head, "Connection", "Upgrade")
	head = appendField(head, "Upgrade", "websocket")
	head = appendField(head, "Sec-WebSocket-Version", "13")
	head = appendField(head, "Sec-WebSocket-Key", h.key)
	if len(h.protocols) > 0 {
		head = appendField(head, "Sec-WebSocket-Protocol", strings.Join(h.protocols, ", "))
	}
	for _, value := range h.extensions {
		head = appendField(head, "Sec-WebSocket-Extensions", value)
	}
	return head
}

// agreed is what a backend accepted. ok is false where it accepted what nobody offered, or gave no proof (RFC 6455 section 4.1).
type agreed struct {
	protocol, extensions string
	compressed           bool
}

func (h *handshake) agree(a *upstream.Answer) (got agreed, ok bool) {
	var upgrade, connection, proof []string
	for _, f := range a.Fields {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Upgrade":
			upgrade = append(upgrade, f.Value)
		case "Connection":
			connection = append(connection, f.Value)
		case "Sec-Websocket-Accept":
			proof = append(proof, f.Value)
		case "Sec-Websocket-Protocol":
			if got.protocol != "" || !slices.Contains(h.protocols, f.Value) {
				return got, false
			}
			got.protocol = f.Value
		case "Sec-Websocket-Extensions":
			if got.extensions != "" || !h.offered(f.Value) {
				return got, false
			}
			got.extensions = f.Value
		}
	}
	got.compressed = slices.Contains(extensionNames(got.extensions), "permessage-deflate")
	return got, len(upgrade) == 1 && strings.EqualFold(upgrade[0], "websocket") &&
		http1.HasToken(strings.Join(connection, ","), "upgrade") && len(proof) == 1 && proof[0] == accept(h.key)
}

// offered says whether every extension of an answer was offered, and is one whose frames the relay knows: permessage-deflate
// (RFC 7692) sets one reserved bit; others would set bits that nobody can judge.
func (h *handshake) offered(answer string) bool {
	offers := extensionNames(strings.Join(h.extensions, ","))
	for _, name := range extensionNames(answer) {
		if name != "permessage-deflate" || !slices.Contains(offers, name) {
			return false
		}
	}
	return true
}

func extensionNames(value string) (names []string) {
	for extension := range strings.SplitSeq(value, ",") {
		name, _, _ := strings.Cut(extension, ";")
		if name = strings.ToLower(strings.Trim(name, " \t")); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// switching is the head of the answer that opens the client's socket.
func (h *handshake) switching(got agreed, others []http1.Field) []byte {
	head := append(make([]byte, 0, 256), "HTTP/1.1 101 Switching Protocols\r\n"...)
	head = appendField(head, "Upgrade", "websocket")
	head = appendField(head, "Connection", "Upgrade")
	head = appendField(head, "Sec-WebSocket-Accept", accept(h.key))
	if got.protocol != "" {
		head = appendField(head, "Sec-WebSocket-Protocol", got.protocol)
	}
	if got.extensions != "" {
		head = appendField(head, "Sec-WebSocket-Extensions", got.extensions)
	}
	for _, f := range others {
		if name := http.CanonicalHeaderKey(f.Name); !hopByHop[name] && !isHandshake[name] {
			head = appendField(head, f.Name, f.Value)
		}
	}
	return append(head, "\r\n"...)
}
