// Command edge measures, in one run, what Sallyport's gate costs beside nginx, HAProxy, Caddy and a reverse proxy of the
// standard library, for HTTP requests and for WebSockets.
//
//	make bench-edge
//	cd bench && go run ./edge -rounds 5 -time 4s
//
// Backend, load generator and each proxy are processes of their own, on loopback. Each figure is the median over rounds that
// are interleaved, so that a busy machine disturbs all alike; processor time is what the kernel counted for the proxy's
// processes, and the sturdiest of the figures. The last table holds them against what was promised. With -update
// both go to docs/performance.md; -profile FOLDER puts processor and heap profiles of the gate there.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// options are the flags of a run.
type options struct {
	rounds  int
	time    time.Duration
	conns   int
	idle    int
	update  string
	profile string
	parts   string
	cached  int
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		exitWith(play(os.Args[2], os.Args[3:]))
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of each measurement")
	flag.DurationVar(&o.time, "time", 1500*time.Millisecond, "length of a round")
	flag.IntVar(&o.conns, "conns", 64, "connections at once")
	flag.IntVar(&o.idle, "idle", 8000, "idle sockets")
	flag.StringVar(&o.update, "update", "", "the `file` whose table is replaced, between its two comments")
	flag.StringVar(&o.profile, "profile", "", "the `folder` that gets profiles of the gate")
	flag.StringVar(&o.parts, "parts", "http,messages,latency,connects,idle", "what is measured")
	flag.IntVar(&o.cached, "cached", 10_000, "verdicts about tokens that the gate remembers, -1 for none")
	flag.Parse()
	exitWith(run(&o))
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "edge:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(o *options) error {
	folder, err := os.MkdirTemp("", "bench-edge-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if o.profile != "" {
		if o.profile, err = filepath.Abs(o.profile); err != nil {
			return err
		}
	}
	began := time.Now()
	f, err := newField(o, folder)
	if err != nil {
		return err
	}
	defer f.stop()
	r := results{conns: o.conns, idle: o.idle, rounds: o.rounds}
	if err := f.measure(&r); err != nil {
		return err
	}
	r.load, r.took = loadAverage(), time.Since(began)
	text := r.markdown()
	fmt.Print(text)
	if o.update == "" {
		return nil
	}
	return replaceTable(o.update, text)
}
