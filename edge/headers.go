package edge

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/internal/http1"
	"github.com/sallyport-auth/sallyport/internal/upstream"
)

// HeaderFence is the header of an upgrade in which a backend gets the fencing number of the player's slot (design, section
// "Owners"): of two sockets for one slot the one with the higher number is the owner. It is 0 without owners.
const HeaderFence = "X-Sallyport-Fence"

// hopByHop are the headers that end here (RFC 9110 section 7.6.1), with those that this gate writes itself.
var hopByHop = headerSet(
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Host", "Expect", "Http2-Settings",
)

// reserved are the headers by which a backend may be told who asks, from where, or for what: they are the gate's to write, and
// nobody's where it writes none.
var reserved = headerSet(append(connect.IdentityHeaders(),
	"X-Real-Ip", "Forwarded", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Cluster-Client-Ip", "Client-Ip",
	"X-Remote-Addr", "X-Remote-User", "Remote-User", "X-Original-Uri", "X-Original-Url", "X-Original-Method", "X-Original-Host",
	"X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "Authorization",
	"X-Forwarded", "X-Original-Forwarded-For", "Fastly-Client-Ip", "X-Envoy-External-Address",
)...)

// reservedPrefixes are those of families of such headers.
var reservedPrefixes = []string{"X-Auth-", "X-Forwarded-", "X-Sallyport-"}

// gatewayPrefixes are those of headers that grpc-gateway, Nakama's for one, hands on under what is behind the prefix:
// Grpc-Metadata-X-Forwarded-For comes before the X-Forwarded-For that the gate wrote.
var gatewayPrefixes = []string{"Grpc-Metadata-", "Grpcgateway-"}

func headerSet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[http.CanonicalHeaderKey(name)] = true
	}
	return set
}

// isReserved says whether a client's header is the gate's to write, in any spelling that a backend may take for it: CGI and its
// heirs make one of X-Auth-User, X_Auth_User and X.Auth.User.
func (g *Gate) isReserved(name string) bool {
	if reserved[name] || name == g.secret.header {
		return true
	}
	for _, prefix := range gatewayPrefixes {
		if inner, ok := strings.CutPrefix(name, prefix); ok {
			return hopByHop[inner] || g.isReserved(inner)
		}
	}
	if strings.IndexFunc(name, isOdd) >= 0 {
		spelled := http.CanonicalHeaderKey(strings.Map(func(c rune) rune {
			if isOdd(c) {
				return '-'
			}
			return c
		}, name))
		return hopByHop[spelled] || g.isReserved(spelled)
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func isOdd(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
}

// appendClientHeaders appends the client's headers that go on to the backend.
func (x *exchange) appendClientHeaders(head []byte) []byte {
	named := connectionNames(x.r.Header["Connection"])
	for name, values := range x.r.Header {
		if hopByHop[name] || named[name] || x.gate.isReserved(name) || x.upgrade && isHandshake[name] {
			continue
		}
		for _, value := range values {
			if name == "Cookie" && len(x.route.cookies) > 0 {
				if value = stripCookies(value, x.route.cookies); value == "" {
					continue
				}
			}
			head = appendField(head, name, value)
		}
	}
	if http1.HasToken(strings.Join(x.r.Header["Te"], ","), "trailers") {
		head = appendField(head, "Te", "trailers")
	}
	return head
}

// isHandshake are the headers of an upgrade that are written with it.
var isHandshake = headerSet("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Sec-WebSocket-Accept")

// connectionNames returns the headers that Connection names: they end here.
func connectionNames(values []string) map[string]bool {
	var named map[string]bool
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			if name == "" || name == "Close" || name == "Keep-Alive" || name == "Upgrade" {
				continue
			}
			if named == nil {
				named = make(map[string]bool)
			}
			named[name] = true
		}
	}
	return named
}

func appendField(head []byte, name, value string) []byte {
	head = append(head, name...)
	head = append(head, ": "...)
	head = append(head, value...)
	return append(head, "\r\n"...)
}

// identityNames are those of connect.IdentityHeaders, in the order of connect.IdentityValues.
var identityNames = connect.IdentityHeaders()

// appendOwnHeaders appends what the gate says: who asks, from where, and by which token.
func (x *exchange) appendOwnHeaders(head []byte) []byte {
	for i, value := range connect.IdentityValues(x.principal, x.gate.singleRealm) {
		head = appendField(head, identityNames[i], value)
	}
	head = x.appendAuthorization(head)
	head = append(x.appendClient(append(head, "X-Real-Ip: "...)), "\r\n"...)
	head = append(x.appendClient(append(head, "X-Forwarded-For: "...)), "\r\n"...)
	head = appendField(head, "X-Forwarded-Proto", x.proto)
	head = appendField(head, "X-Forwarded-Host", x.r.Host)
	head = appendField(head, "X-Forwarded-Port", portOf(x.r.Host, x.proto))
	return x.appendForwarded(head)
}

// appendClient appends the client's address, which RFC 7239 section 6.2 calls unknown where there is none.
func (x *exchange) appendClient(head []byte) []byte {
	if !x.client.IsValid() {
		return append(head, "unknown"...)
	}
	return x.client.AppendTo(head)
}

// appendForwarded appends the header of RFC 7239.
func (x *exchange) appendForwarded(head []byte) []byte {
	head = append(head, "Forwarded: for="...)
	if x.client.Is6() {
		head = append(x.appendClient(append(head, `"[`...)), `]"`...)
	} else {
		head = x.appendClient(head)
	}
	head = append(append(head, `;host="`...), x.r.Host...)
	head = append(append(head, `";proto=`...), x.proto...)
	return append(head, "\r\n"...)
}

func (x *exchange) appendAuthorization(head []byte) []byte {
	switch {
	case x.route.basicUser != "":
		return appendField(head, "Authorization", x.route.basicUser)
	case x.route.Forward.Authorization:
		if values := x.r.Header["Authorization"]; len(values) == 1 {
			return appendField(head, "Authorization", values[0])
		}
	case x.route.Forward.Bearer && x.token != "":
		return appendField(head, "Authorization", "Bearer "+x.token)
	}
	return head
}

// isHost says whether a Host header can be sent on, and written into others: a name or address and perhaps a port.
func isHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		if !(isNameSegment(host[i:i+1]) || c == '.' || c == ':' || c == '[' || c == ']') {
			return false
		}
	}
	return host != "" && len(host) <= 255
}

func portOf(host, proto string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') && i+1 < len(host) {
		return host[i+1:]
	}
	if proto == "https" {
		return "443"
	}
	return "80"
}

// trust is the rule about who the client is. Without trusted proxies it is the peer, whatever the request says. Else the
// addresses of X-Forwarded-For are read from the last one back, which the nearest proxy wrote, for as long as they are trusted
// themselves: the first that is not is the client.
type trust []netip.Prefix

func (t trust) has(address netip.Addr) bool {
	for _, prefix := range t {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

func (t trust) client(r *http.Request) (address netip.Addr, proto string) {
	proto = "http"
	if r.TLS != nil {
		proto = "https"
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, proto
	}
	address = peer.Addr().Unmap().WithZone("")
	if !t.has(address) {
		return address, proto
	}
	if values := r.Header["X-Forwarded-Proto"]; len(values) == 1 && (values[0] == "http" || values[0] == "https") {
		proto = values[0]
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && t.has(address); i-- {
		hop, ok := parseHop(strings.Trim(hops[i], " \t"))
		if !ok {
			break
		}
		address = hop
	}
	return address, proto
}

// parseHop reads an address, with a port as some balancers add one.
func parseHop(text string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(text); err == nil {
		return address.Unmap().WithZone(""), true
	}
	if port, err := netip.ParseAddrPort(text); err == nil {
		return port.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// stripCookies takes cookies out of a Cookie header. A name that ends with * stands for all that begin so.
func stripCookies(value string, names []string) string {
	var kept []string
	for pair := range strings.SplitSeq(value, ";") {
		pair = strings.Trim(pair, " \t")
		name, _, _ := strings.Cut(pair, "=")
		if pair == "" || isCookie(strings.Trim(name, " \t"), names) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "; ")
}

func isCookie(name string, names []string) bool {
	for _, n := range names {
		prefix, open := strings.CutSuffix(n, "*")
		if name == n || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// copyAnswerHeaders copies what the backend says to the client.
func copyAnswerHeaders(header http.Header, a *upstream.Answer) {
	// One slice for all values, so that there is one allocation.
	values := make([]string, 0, len(a.Fields)+1)
	var connection []string
	for _, f := range a.Fields {
		if strings.EqualFold(f.Name, "Connection") {
			connection = append(connection, f.Value)
		}
	}
	named := connectionNames(connection)
	for _, f := range a.Fields {
		name := http.CanonicalHeaderKey(f.Name)
		if hopByHop[name] || named[name] {
			continue
		}
		if before := header[name]; before != nil {
			header[name] = append(before, f.Value)
			continue
		}
		values = append(values, f.Value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // or net/http guesses one
	}
	if a.Length >= 0 && a.Status != http.StatusNoContent {
		values = append(values, strconv.FormatInt(a.Length, 10))
		header["Content-Length"] = values[len(values)-1:]
	}
}
