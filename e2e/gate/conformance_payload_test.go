package gate_test

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"strings"
)

// goodText is UTF-8 up to each of its borders (RFC 3629), and what only looks wrong.
var goodText = []string{
	"κόσμε", greeting, "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff",
	"\ufffe", "\U0001fffe", "\U0010fffe", "\ufdd0", "\ufeffbom", "κ\U00010000\U0010ffff", "日本語", "🎮🕹️", "e\u0301",
}

// badText is no UTF-8, in hexadecimal digits.
var badText = []string{
	// bytes that cannot begin a character, or stand anywhere
	"80", "bf", "80bf", "80bf80bf80", "fe", "ff", "fefeffff", "61ff62", "f5808080",
	// characters that end too early
	"c2", "e0a0", "f09080", "df", "efbf", "f7bfbf", "c220", "e0a020", "f0908020", "cebae1bdb9cf83cebcceb5ed",
	// longer than they need to be
	"c0af", "e080af", "f08080af", "f8808080af", "fc80808080af", "c1bf", "e09fbf", "f08fbfbf", "c080", "e08080", "f0808080",
	// surrogates, alone and in pairs
	"eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf", "eda080edb080", "edafbfedbfbf",
	"cebae1bdb9cf83cebcceb5eda080656469746564",
	// beyond U+10FFFF
	"f4908080", "f7bfbfbf", "f888808080", "fbbfbfbfbf", "fc8480808080", "fdbfbfbfbfbf",
}

// octets has each byte of a text in a frame of its own.
func (d *dialogue) octets(op byte, text string) *dialogue {
	for i := range len(text) {
		first := byte(0)
		if i == 0 {
			first = op
		}
		if i == len(text)-1 {
			first |= fin
		}
		d.part(first, text[i:i+1])
	}
	return d
}

func validText() (all []*dialogue) {
	for _, text := range goodText {
		echoed := described(fin|opText, text)
		all = append(
			all,
			talk("6.1 %+q", text).say(fin|opText, text).bye(),
			talk("6.2 %+q in a frame for each byte", text).octets(opText, text).hears(echoed).bye(),
		)
	}
	return append(
		all,
		talk("6.3 an empty text and an empty part").part(opText, "").part(fin, "").hears(described(fin|opText, "")).bye(),
		talk("6.3 a character in two parts with a ping between").part(opText, "\xce").ping("p").part(fin, "\xba").hears(described(fin|opText, "κ")).bye(),
		talk("6.3 parts on the borders of characters").part(opText, "κ").part(0, "ό").part(fin, "σ").hears(described(fin|opText, "κόσ")).bye(),
		talk("6.3 a text octet by octet").say(fin|opText, greeting).bye().chopped(1),
		talk("6.3 bytes that are no text, as bytes").say(fin|opBinary, "\xff\xfe\xed\xa0\x80").bye(),
	)
}

func brokenText() (all []*dialogue) {
	for _, digits := range badText {
		bytes, _ := hex.DecodeString(digits)
		text := string(bytes)
		all = append(
			all,
			talk("6.4 %s", digits).part(fin|opText, text).failed(1007),
			talk("6.5 %s in a frame for each byte, after a good message", digits).say(fin|opText, greeting).octets(opText, text).failed(1007),
			talk("6.6 %s between good characters, a message before and behind, at once", digits).say(fin|opText, "κ").
				part(fin|opText, "κό"+text+"σμε").part(fin|opText, "a").failed(1007).together(),
		)
	}
	return append(
		all,
		talk("6.7 a first part that no other can mend, then good-bye").part(opText, "\xed\xa0\x80").bye(),
		talk("6.7 a first part that no other can mend, then the last").part(opText, "\xf4\x90").part(fin, "\x80\x80").failed(1007),
		talk("6.7 half a frame that no other half can mend, then that").send(halves(wire(fin|opText, "κό\xffσμε"), 10)...).failed(1007),
		talk("6.7 a text of 64 KiB with a bad last byte").part(fin|opText, strings.Repeat("*", 64<<10)+"\xff").failed(1007),
	)
}

func halves(b []byte, at int) [][]byte { return [][]byte{b[:at], b[at:]} }

// deflater compresses messages as permessage-deflate does (RFC 7692 section 7.2.1). Its window goes on from one to the next.
type deflater struct {
	out bytes.Buffer
	w   *flate.Writer
}

func newDeflater() *deflater {
	d := new(deflater)
	d.w, _ = flate.NewWriter(&d.out, flate.BestSpeed)
	return d
}

func (d *deflater) message(text string) string {
	d.out.Reset()
	_, _ = d.w.Write([]byte(text))
	_ = d.w.Flush()
	return strings.TrimSuffix(d.out.String(), "\x00\x00\xff\xff")
}

func deflated(text string) string { return newDeflater().message(text) }

// offers are those of the Autobahn suite's groups 12 and 13 that ws takes, with its answers.
var offers = []struct{ offer, answer string }{
	{"permessage-deflate", "permessage-deflate"},
	{"permessage-deflate; client_max_window_bits", "permessage-deflate"},
	{"permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"},
	{"permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"},
	{
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
		"permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
	},
	{"permessage-deflate; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=12"},
	{"permessage-deflate; client_max_window_bits=10, permessage-deflate", "permessage-deflate; client_max_window_bits=10"},
	{"x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"},
}

// deflating is a case with an offer, for which ws compresses every answer, or those from 1 KiB on where it has no context.
func deflating(number int, format string, args ...any) *dialogue {
	d := talk(format, args...).hears(offers[number].answer)
	d.offer = offers[number].offer
	return d
}

func (d *dialogue) compressedEcho(op byte, text string) *dialogue {
	first := fin | op
	if len(text) >= 1024 || !strings.Contains(d.offer, "server_no_context_takeover") {
		first |= rsv1
	}
	return d.hears(described(first, text))
}

func (d *dialogue) deflate(op byte, text string) *dialogue {
	return d.part(fin|rsv1|op, deflated(text)).compressedEcho(op, text)
}

func compression() (all []*dialogue) {
	for i, o := range offers {
		for _, size := range []int{0, 16, 1024, 8 << 10, 128 << 10} {
			text := strings.Repeat("Sally.", size/6+1)[:size]
			all = append(all, deflating(i, "12.1 %d bytes after %s", size, o.offer).deflate(opText, text).deflate(opBinary, text).bye())
		}
		all = append(all, deflating(i, "12.2 five messages at once after %s", o.offer).deflate(opText, "a").deflate(opText, "a").ping("p").
			deflate(opBinary, strings.Repeat("b", 4000)).deflate(opText, greeting).bye().together())
	}
	return all
}

// contexts goes on with the windows from message to message, and cuts messages into parts.
func contexts() []*dialogue {
	going := newDeflater()
	on := deflating(0, "12.3 a window that goes on")
	for _, text := range []string{greeting, greeting, strings.Repeat(greeting, 100), greeting} {
		on.part(fin|rsv1|opText, going.message(text)).compressedEcho(opText, text)
	}
	large := strings.Repeat(greeting, 1000)
	packed := deflated(large)
	third := len(packed) / 3
	parts := func(name string) *dialogue {
		return deflating(0, "12.4 a compressed message in three parts%s", name).part(rsv1|opText, packed[:third])
	}
	return []*dialogue{
		on.bye(),
		parts("").part(0, packed[third:2*third]).part(fin, packed[2*third:]).compressedEcho(opText, large).bye(),
		parts(", at once").part(0, packed[third:2*third]).part(fin, packed[2*third:]).compressedEcho(opText, large).bye().together(),
		parts(", octet by octet").part(0, packed[third:2*third]).part(fin, packed[2*third:]).compressedEcho(opText, large).bye().chopped(1),
		parts(", a ping between").ping("p").part(0, packed[third:2*third]).part(fin, packed[2*third:]).compressedEcho(opText, large).bye(),
		deflating(2, "12.5 a message that is not compressed").part(fin|opText, greeting).compressedEcho(opText, greeting).bye(),
		deflating(2, "12.5 compressed and not, in turns").deflate(opText, large).part(fin|opText, large).compressedEcho(opText, large).bye().together(),
	}
}

func brokenCompression() (all []*dialogue) {
	packed := deflated(greeting)
	for i, o := range offers[:3] {
		all = append(
			all,
			deflating(i, "13.1 RSV1 on a ping after %s", o.offer).part(fin|rsv1|opPing, packed).failed(1002),
			deflating(i, "13.1 RSV1 on a close frame after %s", o.offer).part(fin|rsv1|opClose, "\x03\xe8").failed(1002),
			deflating(i, "13.1 RSV1 on the last part after %s", o.offer).part(rsv1|opText, packed[:5]).part(fin|rsv1, packed[5:]).failed(1002),
			deflating(i, "13.1 RSV1 on the last part alone after %s", o.offer).part(opText, packed[:5]).part(fin|rsv1, packed[5:]).failed(1002),
			deflating(i, "13.1 RSV2 on a compressed message after %s", o.offer).part(fin|rsv1|0x20|opText, packed).failed(1002),
			deflating(i, "13.2 a good message, then RSV3, at once after %s", o.offer).deflate(opText, greeting).part(fin|0x10|opText, "a").failed(1002).together(),
			deflating(i, "13.3 what no deflate is after %s", o.offer).part(fin|rsv1|opText, "\xff\xff\xff\xff").failed(1007),
			deflating(i, "13.3 what no deflate is, then a bad frame, at once after %s", o.offer).part(fin|rsv1|opText, "\xff\xff\xff\xff").
				part(fin|3, "").failed(1007).together(),
			deflating(i, "13.3 compressed bytes that are no UTF-8 after %s", o.offer).part(fin|rsv1|opText, deflated("\xff\xfe")).failed(1007),
		)
	}
	for number := 3; number < 6; number++ {
		refused := talk("13.4 RSV1 after an offer that is not taken, %d", number)
		refused.offer = []string{"x-webkit-deflate-frame", "permessage-bzip2", "mux"}[number-3]
		all = append(all, refused.hears("").part(fin|rsv1|opText, packed).failed(1002))
	}
	return all
}
