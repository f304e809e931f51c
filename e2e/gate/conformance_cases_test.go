package gate_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// The cases that have a listed difference, by name.
var (
	notMinimal = []string{
		"1.3 0 bytes with a length in 2", "1.3 125 bytes with a length in 2", "1.3 0 bytes with a length in 8",
		"1.3 126 bytes with a length in 8", "1.3 65535 bytes with a length in 8", "1.3 a part of 1 byte with a length in 2",
	}
	topBit = []string{"1.4 a length of 8000000000000000", "1.4 a length of ffffffffffffffff"}
)

const (
	tooLarge     = "9.3 a message of 1 MiB and a byte"
	tooManyParts = "9.3 five parts of 256 KiB"
	tooMany      = "2.4 500 pongs at once"
	dies         = "7.6 the server leaves without a word"
)

// dialogues are all cases. The first number of a name is that of the group in the Autobahn suite.
func dialogues() []*dialogue {
	var all []*dialogue
	for _, group := range []func() []*dialogue{
		early, framing, lengths, unmaskedFrames, pings, reservedBits, opcodes, fragments, brokenFragments, validText, brokenText,
		closeCodes, closeFrames, afterClose, violationsInARow, limits, compression, contexts, brokenCompression,
	} {
		all = append(all, group()...)
	}
	return all
}

const greeting = "Hello-µ@ßöäüàá-UTF-8!!"

// early has frames in the packet of the handshake.
func early() (all []*dialogue) {
	half := wire(fin|opText, greeting)
	all = append(
		all,
		talk("0.1 a message with the handshake").say(fin|opText, greeting).bye(),
		talk("0.2 all with the handshake").say(fin|opText, "a").ping("b").say(fin|opBinary, "c").bye().together(),
		talk("0.3 half a header with the handshake").send(half[:1], half[1:]).hears(described(fin|opText, greeting)).bye(),
		talk("0.4 half a message with the handshake").send(half[:9], half[9:]).hears(described(fin|opText, greeting)).bye(),
		talk("0.5 a bad frame with the handshake").part(fin|0x20|opText, "a").failed(1002),
		talk("0.6 a good and a bad frame with the handshake").say(fin|opText, "a").part(fin|0x0b, "").failed(1002).together(),
		talk("0.7 a close frame with the handshake").bye(),
	)
	for _, d := range all {
		d.early = true
	}
	return all
}

func framing() (all []*dialogue) {
	for op, name := range map[byte]string{opText: "text", opBinary: "binary"} {
		for _, size := range []int{0, 1, 125, 126, 127, 128, 65535, 65536} {
			all = append(all, talk("1.1 %s of %d bytes", name, size).say(fin|op, strings.Repeat("*", size)).bye())
		}
		all = append(
			all,
			talk("1.2 %s of 65536 bytes in chops of 997", name).say(fin|op, strings.Repeat("\x7f", 65536)).bye().chopped(997),
			talk("1.2 %s of 130 bytes octet by octet", name).say(fin|op, strings.Repeat("*", 130)).bye().chopped(1),
			talk("1.2 %s of 126 and 65536 bytes at once", name).say(fin|op, strings.Repeat("a", 126)).
				say(fin|op, strings.Repeat("b", 65536)).bye().together(),
		)
	}
	return all
}

func lengths() (all []*dialogue) {
	for i, c := range []struct{ size, length int }{{2, 0}, {2, 125}, {8, 0}, {8, 126}, {8, 65535}} {
		text := strings.Repeat("*", c.length)
		all = append(all, talk("%s", notMinimal[i]).send(wireIn(c.size, fin|opText, text)).hears(described(fin|opText, text)).bye())
	}
	all = append(all, talk("%s", notMinimal[5]).part(opText, "a").send(wireIn(2, 0, "b")).part(fin, "c").hears(described(fin|opText, "abc")).bye())
	for _, length := range []uint64{1 << 63, 1<<64 - 1, 1<<63 - 1, 1 << 53, 1 << 40} {
		frame := binary.BigEndian.AppendUint64([]byte{fin | opBinary, 0x80 | 127}, length)
		all = append(all, talk("1.4 a length of %x", length).send(append(frame, "maskpayload"...)).failed(1009))
	}
	return all
}

func unmaskedFrames() (all []*dialogue) {
	for _, op := range []byte{opText, opBinary, opClose, opPing, opPong} {
		for _, payload := range []string{"", "\x03\xe8"} {
			all = append(all, talk("1.5 opcode %d with %d bytes, not masked", op, len(payload)).send(unmasked(op, []byte(payload))).failed(1002))
		}
	}
	return append(
		all,
		talk("1.5 not masked after a good message").say(fin|opText, "a").send(unmasked(opText, []byte("b"))).failed(1002).together(),
		talk("1.5 a last part that is not masked").part(opText, "a").send(append([]byte{fin, 1}, 'b')).failed(1002),
	)
}

func pings() (all []*dialogue) {
	full := strings.Repeat("\xfe", 125)
	ten, tenAtOnce, tenChopped := talk("2.3 ten pings"), talk("2.3 ten pings at once"), talk("2.3 ten pings octet by octet")
	for i := range 10 {
		payload := fmt.Sprintf("payload-%d", i)
		ten, tenAtOnce, tenChopped = ten.ping(payload), tenAtOnce.ping(payload), tenChopped.ping(payload)
	}
	flood := talk("%s", tooMany)
	for range 500 {
		flood.part(fin|opPong, "")
	}
	return append(
		all,
		talk("2.1 an empty ping").ping("").bye(),
		talk("2.1 a ping with text").ping("Hello, world!").bye(),
		talk("2.1 a ping with bytes that are no text").ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff").bye(),
		talk("2.1 a ping of 125 bytes").ping(full).bye(),
		talk("2.1 a ping of 125 bytes octet by octet").ping(full).bye().chopped(1),
		talk("2.1 a ping of 126 bytes").part(fin|opPing, full+"\xfe").failed(1002),
		talk("2.1 a ping of 126 bytes after a good one").ping("a").part(fin|opPing, full+"\xfe").failed(1002).together(),
		talk("2.1 a ping of 65536 bytes").part(fin|opPing, strings.Repeat("*", 65536)).failed(1002),
		talk("2.2 an empty pong that nobody asked for").part(fin|opPong, "").bye(),
		talk("2.2 a pong that nobody asked for").part(fin|opPong, "unsolicited").bye(),
		talk("2.2 a pong that nobody asked for, then a ping").part(fin|opPong, "unsolicited").ping("a").bye(),
		talk("2.2 a pong of 126 bytes").part(fin|opPong, full+"\xfe").failed(1002),
		talk("2.2 pings between messages").ping("a").say(fin|opText, "b").ping("c").say(fin|opBinary, "d").ping("").bye().together(),
		ten.bye(), tenAtOnce.bye().together(), tenChopped.bye().chopped(1), flood.bye().together(),
	)
}

func reservedBits() (all []*dialogue) {
	for bits := byte(1); bits <= 7; bits++ {
		first := bits << 4
		all = append(
			all,
			talk("3.1 bits %03b on a small text", bits).part(fin|first|opText, "*").failed(1002),
			talk("3.2 bits %03b between good messages", bits).say(fin|opText, greeting).part(fin|first|opText, greeting).part(fin|opPing, "").failed(1002),
			talk("3.3 bits %03b between good messages, at once", bits).say(fin|opText, greeting).part(fin|first|opText, greeting).
				part(fin|opPing, "").failed(1002).together(),
			talk("3.4 bits %03b octet by octet", bits).say(fin|opText, greeting).part(fin|first|opText, greeting).failed(1002).chopped(1),
			talk("3.5 bits %03b on a binary message of 125 bytes", bits).part(fin|first|opBinary, strings.Repeat("\xff", 125)).failed(1002),
			talk("3.6 bits %03b on a ping", bits).ping("a").part(fin|first|opPing, greeting).failed(1002),
			talk("3.7 bits %03b on a close frame", bits).part(fin|first|opClose, "\x03\xe8").failed(1002),
			talk("3.8 bits %03b on a last part", bits).part(opText, "a").part(fin|first, "b").failed(1002),
		)
	}
	return all
}

func opcodes() (all []*dialogue) {
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		all = append(
			all,
			talk("4.1 opcode %d alone", op).part(fin|op, "").failed(1002),
			talk("4.2 opcode %d with a payload", op).part(fin|op, "reserved opcode payload").failed(1002),
			talk("4.3 opcode %d after a good message, a ping behind", op).say(fin|opText, greeting).part(fin|op, "").part(fin|opPing, "").failed(1002),
			talk("4.4 opcode %d after good messages, at once", op).say(fin|opText, greeting).ping("a").say(fin|opBinary, greeting).
				part(fin|op, greeting).part(fin|opText, "b").failed(1002).together(),
			talk("4.5 opcode %d octet by octet", op).say(fin|opText, greeting).part(fin|op, greeting).failed(1002).chopped(1),
			talk("4.6 opcode %d inside a message", op).part(opText, "a").part(op, "b").failed(1002),
		)
	}
	return all
}

func fragments() (all []*dialogue) {
	for _, op := range []byte{opText, opBinary} {
		whole := described(fin|op, "fragment1fragment2")
		two := func(name string) *dialogue {
			return talk("5.1 opcode %d in two parts%s", op, name).part(op, "fragment1")
		}
		all = append(
			all,
			two("").part(fin, "fragment2").hears(whole).bye(),
			two(", at once").part(fin, "fragment2").hears(whole).bye().together(),
			two(", octet by octet").part(fin, "fragment2").hears(whole).bye().chopped(1),
			two(", a ping between").ping("ping").part(fin, "fragment2").hears(whole).bye(),
			two(", a ping between, at once").ping("ping").part(fin, "fragment2").hears(whole).bye().together(),
			two(", a ping between, octet by octet").ping("ping").part(fin, "fragment2").hears(whole).bye().chopped(1),
			two(", a pong between").part(fin|opPong, "pong").part(fin, "fragment2").hears(whole).bye(),
			two(", the second empty").part(fin, "").hears(described(fin|op, "fragment1")).bye(),
			two(", then a whole one").part(fin, "fragment2").hears(whole).say(fin|op, "whole").bye().together(),
			talk("5.1 opcode %d in three empty parts", op).part(op, "").part(0, "").part(fin, "").hears(described(fin|op, "")).bye(),
		)
		long := talk("5.2 opcode %d in five parts, pings between", op)
		for i := range 5 {
			if i == 0 {
				long.part(op, "fragment1")
			} else {
				long.part(0, "").ping(strings.Repeat("p", i))
			}
		}
		all = append(all, long.part(fin, "fragment2").hears(whole).bye())
	}
	return all
}

func brokenFragments() []*dialogue {
	return []*dialogue{
		talk("5.3 a ping in parts").part(opPing, "a").part(fin, "b").failed(1002),
		talk("5.3 a pong in parts").part(opPong, "a").part(fin, "b").failed(1002),
		talk("5.3 a close frame in parts").part(opClose, "\x03").part(fin, "\xe8").failed(1002),
		talk("5.3 a ping in parts inside a message").part(opText, "a").part(opPing, "b").part(fin, "c").failed(1002),
		talk("5.4 a last part of nothing").part(fin, "a").failed(1002),
		talk("5.4 a part of nothing").part(0, "a").failed(1002),
		talk("5.4 a last part of nothing, a message behind").part(fin, "a").part(fin|opText, "b").failed(1002).together(),
		talk("5.4 a part of nothing octet by octet").part(0, "a").part(fin|opText, "b").failed(1002).chopped(1),
		talk("5.4 a last part after a whole message").say(fin|opText, "a").part(fin, "b").failed(1002),
		talk("5.4 a part after a whole message, at once").say(fin|opText, "a").part(0, "b").part(fin, "c").failed(1002).together(),
		talk("5.4 a part after the last one").part(opText, "a").part(fin, "b").hears(described(fin|opText, "ab")).part(0, "c").failed(1002),
		talk("5.5 a message inside a message").part(opText, "a").part(fin|opText, "b").failed(1002),
		talk("5.5 a message inside a message, at once").part(opText, "a").part(fin|opBinary, "b").failed(1002).together(),
		talk("5.5 a message inside a message octet by octet").part(opText, "a").part(fin|opText, "b").failed(1002).chopped(1),
		talk("5.5 a second beginning").part(opBinary, "a").part(0, "b").part(opBinary, "c").failed(1002),
		talk("5.5 a ping, then a message inside a message").part(opText, "a").ping("p").part(fin|opText, "b").failed(1002).together(),
		talk("5.6 a message without an end, then good-bye").part(opText, "a").part(0, "b").bye(),
	}
}

func closeCodes() (all []*dialogue) {
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		payload := string(binary.BigEndian.AppendUint16(nil, code))
		all = append(
			all,
			talk("7.1 the code %d", code).part(fin|opClose, payload).failed(int(code)),
			talk("7.1 the code %d with a text", code).part(fin|opClose, payload+"good-bye").failed(int(code)),
		)
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		payload := string(binary.BigEndian.AppendUint16(nil, code))
		all = append(
			all,
			talk("7.2 the code %d, which is none", code).part(fin|opClose, payload).failed(1002),
			talk("7.2 the code %d, which is none, after a message", code).say(fin|opText, "a").part(fin|opClose, payload+"text").failed(1002).together(),
		)
	}
	return all
}

func closeFrames() []*dialogue {
	normal := "\x03\xe8"
	return []*dialogue{
		talk("7.3 a close frame of 0 bytes").part(fin|opClose, "").hears("close without a code", ended),
		talk("7.3 a close frame of 1 byte").part(fin|opClose, "a").failed(1002),
		talk("7.3 a close frame of 2 bytes octet by octet").bye().chopped(1),
		talk("7.3 a text of 123 bytes").part(fin|opClose, normal+strings.Repeat("*", 123)).failed(1000),
		talk("7.3 a text of 124 bytes").part(fin|opClose, normal+strings.Repeat("*", 124)).failed(1002),
		talk("7.3 a text that is no UTF-8").part(fin|opClose, normal+"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80").failed(1007),
		talk("7.3 a text that ends inside a character").part(fin|opClose, normal+"\xe1\xbd").failed(1007),
		talk("7.4 good-bye inside a message").part(opText, "a").part(fin|opClose, normal).failed(1000),
		talk("7.4 good-bye behind 16 KiB, at once").say(fin|opText, strings.Repeat("*", 16<<10)).bye().together(),
		talk("7.4 good-bye behind 256 KiB, at once").say(fin|opBinary, strings.Repeat("*", 256<<10)).bye().together(),
		talk("7.4 the half of a close frame, and the client leaves").send(wire(fin|opClose, normal)[:7]).gone(ended),
		talk("7.4 the client leaves without a word").say(fin|opText, "a").gone(ended),
		talk("7.4 the client leaves inside a message").part(opText, "a").gone(ended),
		talk("7.4 the client leaves inside a frame").send(wire(fin|opText, greeting)[:12]).gone(ended),
		talk("7.4 the client leaves inside a header").send(wire(fin|opText, greeting)[:1]).gone(ended),
		talk("7.4 the client leaves at once").gone(ended),
		talk("%s", dies).part(fin|opText, "die").hears(ended),
	}
}

// gone ends the case by the client's leaving.
func (d *dialogue) gone(what ...string) *dialogue {
	d.leaves = true
	return d.hears(what...)
}

func afterClose() (all []*dialogue) {
	normal := "\x03\xe8"
	for name, behind := range map[string][]byte{
		"a message": wire(fin|opText, "a"), "a ping": wire(fin|opPing, "a"), "another": wire(fin|opClose, "\x03\xe9"),
		"a bad frame": wire(fin|0x70|opText, "a"), "a part": wire(opText, "a"), "half a frame": wire(fin|opText, greeting)[:9],
		"no frame": bytes.Repeat([]byte{0xff}, 1000), "256 KiB": wire(fin|opBinary, strings.Repeat("*", 256<<10)),
	} {
		all = append(
			all,
			talk("7.5 %s behind the close frame", name).part(fin|opClose, normal).send(behind).failed(1000),
			talk("7.5 %s behind the close frame, at once", name).part(fin|opClose, normal).send(behind).failed(1000).together(),
		)
	}
	return all
}

// violationsInARow have two things wrong. A server says what it thinks of the first.
func violationsInARow() []*dialogue {
	return []*dialogue{
		talk("7.7 no UTF-8, then a reserved bit, at once").part(fin|opText, "\xff").part(fin|0x10|opText, "a").failed(1007).together(),
		talk("7.7 no UTF-8, then a reserved opcode").part(fin|opText, "\xff").part(fin|3, "a").failed(1007),
		talk("7.7 no UTF-8, then a frame that is not masked, at once").part(fin|opText, "\xc0\xaf").send(unmasked(opText, nil)).failed(1007).together(),
		talk("7.7 a good message, no UTF-8, a bad frame, at once").say(fin|opText, "a").part(fin|opText, "\xff").part(fin, "a").failed(1007).together(),
		talk("7.7 a code that is none, then a bad frame, at once").part(fin|opClose, "\x03\xed").part(fin|3, "").failed(1002).together(),
	}
}

func limits() (all []*dialogue) {
	for _, size := range []int{64 << 10, 256 << 10, 1 << 20} {
		text, chop := strings.Repeat("Sally.", size/6+1)[:size], max(1024, size/64)
		all = append(
			all,
			talk("9.1 text of %d bytes", size).say(fin|opText, text).bye(),
			talk("9.1 binary of %d bytes, at once", size).say(fin|opBinary, text).bye().together(),
			talk("9.2 text of %d bytes in chops of %d", size, chop).say(fin|opText, text).bye().chopped(chop),
			inParts(talk("9.2 binary of %d bytes in parts of %d", size, chop), opBinary, text, chop).bye(),
			inParts(talk("9.2 text of %d bytes in parts of %d, at once", size, chop), opText, text, chop).bye().together(),
		)
	}
	large := strings.Repeat("*", 1<<20+1)
	return append(
		all,
		talk("%s", tooLarge).say(fin|opText, large).bye(),
		inParts(talk("%s", tooManyParts), opBinary, strings.Repeat("*", 5<<18), 256<<10).bye(),
		talk("9.4 a message of 64 KiB, then a bad frame, at once").say(fin|opBinary, large[:64<<10]).part(fin|3, "").failed(1002).together(),
		talk("9.4 a message of 1 MiB, then a bad frame, at once").say(fin|opBinary, large[:1<<20]).part(fin|3, "").failed(1002).together(),
	)
}

// inParts adds a message in frames of n bytes.
func inParts(d *dialogue, op byte, text string, n int) *dialogue {
	d.hears(described(fin|op, text))
	for first := op; len(text) > 0; first = 0 {
		part := text[:min(n, len(text))]
		if text = text[len(part):]; text == "" {
			first |= fin
		}
		d.part(first, part)
	}
	return d
}
