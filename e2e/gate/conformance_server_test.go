package gate_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// monologue is a case of the other direction: what a server says once it is asked, what the client must hear of it through
// the gate, and what the server is told.
type monologue struct {
	name   string
	pieces [][]byte
	how    parting
	want   []string
	told   []string
}

// parting is how the server goes.
type parting int

const (
	listens parting = iota // until it is told to close
	leaves                 // FIN
	resets                 // RST
)

// lost is what a client hears of a server that broke the protocol, or went without a word.
var lost = []string{"close 1011", ended}

// monologues are all cases.
func monologues() []*monologue {
	all := goodServer()
	all = append(all, closingServer()...)
	all = append(all, leavingServer()...)
	for name, frame := range badFrames() {
		all = append(all, breaking(name, frame)...)
	}
	return append(all, misplacedFrames()...)
}

// badFrames cannot be right wherever they stand.
func badFrames() map[string][]byte {
	bad := map[string][]byte{
		"a masked text":                 wire(fin|opText, "a"),
		"a masked ping":                 wire(fin|opPing, ""),
		"a masked close frame":          wire(fin|opClose, "\x03\xe8"),
		"a ping in parts":               {opPing, 0},
		"a pong in parts":               {opPong, 0},
		"a close frame in parts":        {opClose, 0},
		"a ping of 126 bytes":           unmasked(opPing, make([]byte, 126)),
		"a pong of 126 bytes":           unmasked(opPong, make([]byte, 126)),
		"a close frame of 126 bytes":    unmasked(opClose, make([]byte, 126)),
		"a ping of 65536 bytes":         unmasked(opPing, make([]byte, 65536)),
		"RSV1 on a ping":                {fin | rsv1 | opPing, 0},
		"RSV1 on a close frame":         {fin | rsv1 | opClose, 0},
		"0 bytes with a length in 2":    {fin | opBinary, 126, 0, 0},
		"125 bytes with a length in 2":  append([]byte{fin | opBinary, 126, 0, 125}, make([]byte, 125)...),
		"126 bytes with a length in 8":  append([]byte{fin | opBinary, 127, 0, 0, 0, 0, 0, 0, 0, 126}, make([]byte, 126)...),
		"a length with its top bit set": {fin | opBinary, 127, 0x80, 0, 0, 0, 0, 0, 0, 0},
	}
	for bits := byte(1); bits <= 7; bits++ {
		bad[fmt.Sprintf("reserved bits %03b", bits)] = []byte{fin | bits<<4 | opText, 1, 'a'}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		bad[fmt.Sprintf("opcode %d", op)] = []byte{fin | op, 1, 'a'}
	}
	return bad
}

// breaking has a bad frame alone, and with good ones around it: those before it arrive, those behind it do not.
func breaking(name string, frame []byte) []*monologue {
	good, large := unmasked(opText, []byte("good")), strings.Repeat("*", 65536)
	before := bytes.Join([][]byte{good, unmasked(opPong, []byte("p")), unmasked(opBinary, []byte(large)), frame, good}, nil)
	heard := []string{described(fin|opText, "good"), described(fin|opPong, "p"), described(fin|opBinary, large)}
	octets := append(slices.Clone(good), frame[:min(len(frame), 20)]...)
	all := []*monologue{
		{name: name, pieces: [][]byte{frame}, want: lost},
		{name: name + " between good messages, at once", pieces: [][]byte{before}, want: append(heard, lost...)},
		{name: name + " octet by octet", pieces: slices.Collect(slices.Chunk(octets, 1)), want: append(heard[:1:1], lost...)},
	}
	if frame[0]&0x0f >= opClose || frame[0]&0x70 != 0 {
		all = append(all, &monologue{
			name: name + " inside a message", pieces: [][]byte{{opText, 1, 'a'}, frame},
			want: append([]string{described(opText, "a")}, lost...),
		})
	}
	for _, m := range all {
		m.told = []string{"close 1002"}
	}
	return all
}

// misplacedFrames would be right elsewhere.
func misplacedFrames() []*monologue {
	first, part, last := []byte{opText, 1, 'a'}, []byte{0, 1, 'b'}, []byte{fin, 1, 'c'}
	whole := unmasked(opText, []byte("d"))
	heardFirst, heardPart, heardLast := described(opText, "a"), described(0, "b"), described(fin, "c")
	all := []*monologue{
		{name: "a part of nothing", pieces: [][]byte{part}, want: lost},
		{name: "a last part of nothing", pieces: [][]byte{last}, want: lost},
		{name: "a message inside a message", pieces: [][]byte{first, whole}, want: append([]string{heardFirst}, lost...)},
		{name: "a message inside a longer one", pieces: [][]byte{first, part, first}, want: append([]string{heardFirst, heardPart}, lost...)},
		{name: "a part behind the last", pieces: [][]byte{first, part, last, part}, want: append([]string{heardFirst, heardPart, heardLast}, lost...)},
	}
	for _, m := range all {
		m.told = []string{"close 1002"}
	}
	return all
}

// goodServer says what a client must hear as it was said, and leaves by a close frame.
func goodServer() (all []*monologue) {
	for _, frames := range []struct {
		name  string
		first []byte
		texts []string
	}{
		{"a text", []byte{fin | opText}, []string{greeting}},
		{"an empty binary message", []byte{fin | opBinary}, []string{""}},
		{"a text that is no UTF-8, which is the client's to judge", []byte{fin | opText}, []string{"\xff\xc0\xaf"}},
		{"borders of lengths", []byte{fin | opBinary, fin | opBinary, fin | opBinary, fin | opText}, sizes(125, 126, 65535, 65536)},
		{"2 MiB, for servers have no limit", []byte{fin | opBinary}, sizes(2 << 20)},
		{"a message in parts", []byte{opText, 0, 0, fin}, []string{"a", "", "b", "c"}},
		{"a message in parts, pongs between", []byte{opText, fin | opPong, 0, fin | opPong, fin}, []string{"a", "p", "b", "", "c"}},
		{"a pong of 125 bytes", []byte{fin | opPong}, sizes(125)},
	} {
		var stream []byte
		var heard []string
		for i, first := range frames.first {
			frame := head(0, len(frames.texts[i]), 0)
			frame[0] = first
			stream = append(append(stream, frame...), frames.texts[i]...)
			heard = append(heard, described(first, frames.texts[i]))
		}
		stream, heard = append(stream, unmasked(opClose, []byte("\x03\xe8"))...), append(heard, "close 1000", ended)
		told := []string{"close 1000"}
		all = append(
			all,
			&monologue{name: frames.name, pieces: slices.Collect(slices.Chunk(stream, 4096)), want: heard, told: told},
			&monologue{name: frames.name + ", at once", pieces: [][]byte{stream}, want: heard, told: told},
		)
	}
	// Where the gate pings it answers the server's pings itself: the client hears none.
	ping := bytes.Join([][]byte{{opText, 1, 'a'}, unmasked(opPing, []byte("p")), {fin, 1, 'b'}, unmasked(opClose, []byte("\x03\xe8"))}, nil)
	return append(all, &monologue{
		name: "a ping inside a message", pieces: [][]byte{ping[:6], ping[6:]},
		want: []string{described(opText, "a"), described(fin, "b"), "close 1000", ended},
		told: []string{described(fin|opPong, "p"), "close 1000"},
	})
}

func sizes(all ...int) (texts []string) {
	for _, n := range all {
		texts = append(texts, strings.Repeat("*", n))
	}
	return texts
}

// closingServer closes by every code, also those that are none: it is the client's to judge.
func closingServer() (all []*monologue) {
	for _, code := range []uint16{0, 999, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1011, 1012, 1013, 1015, 2000, 3000, 4000, 4999, 65535} {
		payload := string(binary.BigEndian.AppendUint16(nil, code)) + "text"
		heard := described(fin|opClose, payload)
		all = append(all, &monologue{
			name: fmt.Sprintf("the code %d, a message behind", code), want: []string{heard, ended}, told: []string{heard},
			pieces: [][]byte{append(unmasked(opClose, []byte(payload)), unmasked(opText, []byte("late"))...)},
		})
	}
	for _, payload := range []string{"", "a", "\x03\xe8\xff"} {
		heard := described(fin|opClose, payload)
		all = append(all, &monologue{
			name: fmt.Sprintf("a close frame of %d bytes", len(payload)), want: []string{heard, ended}, told: []string{heard},
			pieces: [][]byte{unmasked(opClose, []byte(payload))},
		})
	}
	return all
}

// leavingServer goes without a close frame.
func leavingServer() (all []*monologue) {
	text, half := unmasked(opText, []byte("a")), unmasked(opText, []byte(greeting))[:10]
	heard := described(fin|opText, "a")
	for how, name := range map[parting]string{leaves: "leaves", resets: "resets the connection"} {
		all = append(all, &monologue{name: "the server " + name, how: how, want: lost})
	}
	return append(
		all,
		&monologue{name: "the server leaves behind a message", pieces: [][]byte{text}, how: leaves, want: append([]string{heard}, lost...)},
		&monologue{
			name: "the server leaves inside a message", pieces: [][]byte{{opText, 1, 'a'}}, how: leaves,
			want: append([]string{described(opText, "a")}, lost...),
		},
		&monologue{name: "the server leaves inside a frame", pieces: [][]byte{half}, how: leaves, want: []string{"FIN inside a frame"}},
		&monologue{name: "the server leaves inside a header", pieces: [][]byte{text, half[:1]}, how: leaves, want: append([]string{heard}, lost...)},
	)
}

// play is the server's part. The client's first message says which case it is.
func play(r *raw, all []*monologue, told []chan []string) {
	_, payload, err := r.next()
	number, nan := strconv.Atoi(string(payload))
	if err != nil || nan != nil {
		return
	}
	m := all[number]
	speak(r, m.pieces, nil)
	if m.how == resets {
		_ = r.Conn.(*net.TCPConn).SetLinger(0)
	}
	told[number] <- m.hears(r)
}

// hears is what the server is told, up to the end of the other side.
func (m *monologue) hears(r *raw) (heard []string) {
	for m.how == listens {
		first, payload, err := r.frame()
		if err != nil {
			return append(heard, lastWord(err))
		}
		heard = append(heard, described(first, string(payload)))
		if first == fin|opClose {
			return heard
		}
	}
	return nil
}

// hear is the client's part: it answers a close frame, and stays until the connection ends.
func hear(t *testing.T, to entrance, token string, number int) (heard []string) {
	r, _, err := to.join(masked(opText, strconv.Itoa(number)), "Authorization: Bearer "+token)
	if err != nil {
		t.Fatalf("the client does not come in: %v", err)
	}
	defer r.Close()
	for {
		first, payload, err := r.frame()
		if err != nil {
			return append(heard, lastWord(err))
		}
		heard = append(heard, described(first, string(payload)))
		if first == fin|opClose {
			_, _ = r.Write(masked(opClose, string(payload)))
		}
	}
}

// TestConformanceOfTheServer has a server say each case through the gate: the client hears all that was good and is then told
// that the server is lost, and the server is told that it broke the protocol.
func TestConformanceOfTheServer(t *testing.T) {
	t.Parallel()
	all := monologues()
	told := make([]chan []string, len(all))
	for i := range told {
		told[i] = make(chan []string, 1)
	}
	o := newDoor(t, plainKind, rawServer(t, nil, func(r *raw) { play(r, all, told) }), nil, unhurried)
	entrances := o.entrances()
	var good atomic.Int32
	t.Run("cases", func(t *testing.T) {
		for i, m := range all {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				for name, to := range entrances {
					var heard, got []string
					inTime(func() bool {
						_, token := o.buy(t, o.issuer, m.name+" over "+name)
						heard, got = hear(t, to, token, i), <-told[i]
						return slices.Equal(heard, m.want) && slices.Equal(got, m.told)
					})
					if !slices.Equal(heard, m.want) || !slices.Equal(got, m.told) {
						t.Errorf("over %s the client heard %s and the server %s, want %s and %s", name, brief(heard), brief(got), brief(m.want), brief(m.told))
					}
				}
				if !t.Failed() {
					good.Add(1)
				}
			})
		}
	})
	t.Logf("FIGURE conformance of the server: %d cases over TCP and TLS, %d as they should be", len(all), good.Load())
}

// TestServerThatFailsFast does not wait for the end of a frame that cannot become good, as the Autobahn suite has it in 6.4.
func TestServerThatFailsFast(t *testing.T) {
	t.Parallel()
	o := newDoor(t, plainKind, rawServer(t, nil, func(r *raw) {
		if _, err := r.lines.ReadBytes(0xff); err == nil {
			_, _ = r.Write(unmasked(opClose, []byte("\x03\xef"))) // 1007
		}
	}), nil, unhurried)
	for name, to := range o.entrances() {
		_, token := o.buy(t, o.issuer, name)
		r, _, err := to.join(masked(opText, "good \xff and what never comes")[:12], "Authorization: Bearer "+token)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := r.closed(); err != nil || code != 1007 {
			t.Errorf("over %s the client was told %d, %v inside its frame, want 1007", name, code, err)
		}
		r.Close()
	}
}
