package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/internal/wsframe"
)

// order says what a load generator is to do. It prints "ready", waits for a line, does it, prints its outcome, and again.
type order struct {
	mode    string // messages, latency, connects, idle
	address string
	conns   int
	size    int // of a message, bytes
	time    time.Duration
}

// outcome is what a load generator saw.
type outcome struct {
	Count   int     // messages there and back, or connections
	Seconds float64 // that it took
	P50     float64 // of a message there and back, µs
	P99     float64
}

// lives is how many players a connection that is opened again and again belongs to in turn.
const lives = 200

// pace is how many messages a second latency is measured with, on all connections together.
const pace = 1000

func serveLoad(args []string) error {
	var o order
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.mode, "mode", "", "")
	flags.StringVar(&o.address, "address", "", "")
	flags.IntVar(&o.conns, "conns", 1, "")
	flags.IntVar(&o.size, "size", 0, "")
	flags.DurationVar(&o.time, "time", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	players := o.conns
	if o.mode == "connects" {
		players *= lives // or a newer socket would replace the one that the gate has not seen closed yet
	}
	tokens, err := signTokens(players)
	if err != nil {
		return err
	}
	l := &load{order: o, tokens: tokens}
	if o.mode != "connects" {
		if err := l.open(); err != nil {
			return err
		}
	}
	input := bufio.NewReader(os.Stdin)
	for fmt.Println("ready"); ; {
		if _, err := input.ReadString('\n'); err != nil {
			return nil
		}
		out, err := l.run()
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
			return err
		}
	}
}

func signTokens(count int) ([]string, error) {
	tokens := make([]string, count)
	base := rand.IntN(1 << 30) // each generator has players of its own
	for i := range tokens {
		var err error
		if tokens[i], err = signToken(base + i); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// load is a generator at work.
type load struct {
	order
	tokens  []string
	sockets []*socket
}

// socket is a client's connection. What it is sent besides echoes, pings first of all, it answers while nobody asks, too.
type socket struct {
	*frames
	message []byte
	echoed  chan error
}

// opening is how many connections are opened at once.
const opening = 32

func (l *load) open() error {
	l.sockets = make([]*socket, l.conns)
	return l.each(opening, func(i int) error {
		f, err := dial(l.address, l.tokens[i])
		if err != nil {
			return err
		}
		s := &socket{frames: f, message: masked(l.size), echoed: make(chan error)}
		l.sockets[i] = s
		if l.mode == "idle" {
			go s.listen()
		}
		return nil
	})
}

// each does something for every connection, some at once.
func (l *load) each(workers int, do func(i int) error) error {
	var next atomic.Int64
	failed := make(chan error, workers)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < l.conns; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// masked is a message as a client sends it.
func masked(size int) []byte {
	h := wsframe.Header{Final: true, Opcode: wsframe.Binary, Masked: true, Mask: [4]byte{1, 2, 3, 4}}
	return wsframe.AppendFrame(nil, h, make([]byte, size))
}

// echo waits for the next message, and answers pings.
func (s *socket) echo() error {
	for {
		h, frame, err := s.next()
		switch {
		case err != nil:
			return err
		case h.Opcode == wsframe.Binary:
			return nil
		case h.Opcode == wsframe.Close:
			return io.ErrUnexpectedEOF
		case h.Opcode == wsframe.Ping:
			pong := wsframe.Header{Final: true, Opcode: wsframe.Pong, Masked: true, Mask: [4]byte{1, 2, 3, 4}}
			if _, err := s.conn.Write(wsframe.AppendFrame(nil, pong, frame[len(frame)-int(h.Length):])); err != nil {
				return err
			}
		}
	}
}

func (s *socket) listen() {
	for {
		err := s.echo()
		s.echoed <- err
		if err != nil {
			return
		}
	}
}

func (l *load) run() (outcome, error) {
	switch l.mode {
	case "connects":
		return l.connect()
	case "idle":
		return outcome{Count: l.conns}, l.each(opening, func(i int) error {
			if _, err := l.sockets[i].conn.Write(l.sockets[i].message); err != nil {
				return err
			}
			return <-l.sockets[i].echoed
		})
	}
	return l.exchange()
}

// exchange sends messages on every connection and waits for each to come back.
func (l *load) exchange() (outcome, error) {
	began := time.Now()
	waits := make([][]time.Duration, l.conns)
	err := l.each(l.conns, func(i int) error {
		s := l.sockets[i]
		every := time.Duration(0)
		if l.mode == "latency" {
			every = time.Second * time.Duration(l.conns) / pace
		}
		for at := began.Add(every * time.Duration(i) / time.Duration(l.conns)); time.Since(began) < l.time; at = at.Add(every) {
			if every > 0 {
				time.Sleep(time.Until(at))
			}
			sent := time.Now()
			if _, err := s.conn.Write(s.message); err != nil {
				return err
			}
			if err := s.echo(); err != nil {
				return err
			}
			waits[i] = append(waits[i], time.Since(sent))
		}
		return nil
	})
	return summary(waits, time.Since(began)), err
}

// connect opens sockets, each worker one after another, and closes each at once.
func (l *load) connect() (outcome, error) {
	began := time.Now()
	var count atomic.Int64
	err := l.each(l.conns, func(i int) error {
		for n := 0; time.Since(began) < l.time; n++ {
			f, err := dial(l.address, l.tokens[i*lives+n%lives])
			if err != nil {
				return err
			}
			count.Add(1)
			f.conn.Close()
		}
		return nil
	})
	return outcome{Count: int(count.Load()), Seconds: time.Since(began).Seconds()}, err
}

// generator is a load generator's process, seen from the program that measures.
type generator struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
}

// newGenerator starts one and returns when it is ready.
func newGenerator(self string, o order) (*generator, error) {
	g := &generator{cmd: exec.Command(self, "role", "load", "-mode", o.mode, "-address", o.address, "-conns", fmt.Sprint(o.conns),
		"-size", fmt.Sprint(o.size), "-time", o.time.String())}
	g.cmd.Stderr = os.Stderr
	var err error
	if g.input, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	g.output = bufio.NewReader(output)
	if _, err := g.output.ReadString('\n'); err != nil {
		g.stop()
		return nil, fmt.Errorf("the load generator for %s: %w", o.mode, err)
	}
	return g, nil
}

// run has it work once.
func (g *generator) run() (out outcome, err error) {
	if _, err = io.WriteString(g.input, "go\n"); err != nil {
		return out, err
	}
	line, err := g.output.ReadBytes('\n')
	if err != nil {
		return out, fmt.Errorf("the load generator: %w", err)
	}
	return out, json.Unmarshal(line, &out)
}

func (g *generator) stop() {
	_ = g.input.Close()
	_ = g.cmd.Wait()
}
