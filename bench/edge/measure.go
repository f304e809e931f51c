package main

import (
	"errors"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sizes of messages, in bytes.
var sizes = []int{64, 256, 16 << 10}

const (
	latencyConns = 16
	// quiet is how long idle sockets are left alone before memory is looked at: longer than the time between two pings.
	quiet = 11 * time.Second
	// aftermath is what ending 64 connections may take.
	aftermath = 300 * time.Millisecond
)

// measure runs every part. Memory comes first, while the processes are fresh.
func (f *field) measure(r *results) error {
	parts := []struct {
		name string
		do   func(*results) error
	}{
		{"idle", f.measureIdle},
		{"http", f.rounds(f.http, f.measureHTTP)},
		{"messages", f.rounds(f.sockets, f.measureMessages)},
		{"latency", f.rounds(f.sockets, f.measureLatency)},
		{"connects", f.rounds(f.connects, f.measureConnects)},
	}
	for _, part := range parts {
		if !slices.Contains(strings.Split(f.options.parts, ","), part.name) {
			continue
		}
		if err := part.do(r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// rounds measures every setup in turn, as often as there are rounds.
func (f *field) rounds(setups []setup, one func(*results, *setup) error) func(*results) error {
	return func(r *results) error {
		for range f.options.rounds {
			for i := range setups {
				if err := one(r, &setups[i]); err != nil {
					return fmt.Errorf("%s: %w", setups[i].name, err)
				}
			}
		}
		return nil
	}
}

// seconds is what wrk takes: whole ones.
func (f *field) seconds() string {
	return strconv.Itoa(int(math.Ceil(f.options.time.Seconds()))) + "s"
}

func (f *field) measureHTTP(r *results, s *setup) error {
	token, err := signToken(1)
	if err != nil {
		return err
	}
	wait := f.profile(s, "/profile?seconds=1", "http.prof")
	defer wait()
	before, err := cpu(s.processes)
	if err != nil {
		return err
	}
	text, err := exec.Command("wrk", "-t2", "-c"+strconv.Itoa(f.options.conns), "-d"+f.seconds(), "--latency",
		"-H", "Authorization: Bearer "+token, "http://"+s.address+"/api/hello").CombinedOutput()
	if err != nil {
		return fmt.Errorf("wrk: %w: %s", err, text)
	}
	after, err := cpu(s.processes)
	if err != nil {
		return err
	}
	w, err := parseWrk(string(text))
	if err != nil {
		return err
	}
	r.add(s.name, "http rate", w.rate)
	r.add(s.name, "http p50", w.p50)
	r.add(s.name, "http p99", w.p99)
	r.add(s.name, "http cpu", micros(after-before)/w.count)
	return nil
}

// wrkOutcome is what wrk found: requests a second, and milliseconds.
type wrkOutcome struct{ rate, count, p50, p99 float64 }

var wrkFields = []*regexp.Regexp{
	regexp.MustCompile(`Requests/sec:\s+([\d.]+)()`),
	regexp.MustCompile(`(\d+) requests in()`),
	regexp.MustCompile(`50%\s+([\d.]+)(us|ms|s)`),
	regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`),
}

func parseWrk(text string) (w wrkOutcome, err error) {
	if strings.Contains(text, "Non-2xx") || strings.Contains(text, "Socket errors") {
		return w, fmt.Errorf("not every request was answered with 200: %s", text)
	}
	units := map[string]float64{"": 1, "us": 0.001, "ms": 1, "s": 1000}
	for i, value := range []*float64{&w.rate, &w.count, &w.p50, &w.p99} {
		found := wrkFields[i].FindStringSubmatch(text)
		if found == nil {
			return w, fmt.Errorf("what wrk said is not understood: %s", text)
		}
		if *value, err = strconv.ParseFloat(found[1], 64); err != nil {
			return w, err
		}
		*value *= units[found[2]]
	}
	return w, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// load has a generator work once, and returns what it saw and what that cost the setup.
func (f *field) load(s *setup, o order, name string) (out outcome, cost time.Duration, err error) {
	o.address, o.time = s.address, f.options.time
	g, err := newGenerator(f.self, o)
	if err != nil {
		return out, 0, err
	}
	defer g.stop()
	wait := f.profile(s, "/profile?seconds=1", name+".prof")
	defer wait()
	before, err := cpu(s.processes)
	if err != nil {
		return out, 0, err
	}
	if out, err = g.run(); err != nil {
		return out, 0, err
	}
	if o.mode == "connects" {
		time.Sleep(aftermath)
	}
	after, err := cpu(s.processes)
	if err == nil && out.Count == 0 {
		err = errors.New("nothing was counted")
	}
	return out, after - before, err
}

func (f *field) measureMessages(r *results, s *setup) error {
	for _, size := range sizes {
		name := sizeName(size)
		out, cost, err := f.load(s, order{mode: "messages", conns: f.options.conns, size: size}, strings.ReplaceAll(name, " ", ""))
		if err != nil {
			return err
		}
		r.add(s.name, name+" rate", float64(out.Count)/out.Seconds)
		r.add(s.name, name+" cpu", micros(cost)/float64(out.Count))
	}
	return nil
}

func sizeName(size int) string {
	if size >= 1<<10 {
		return fmt.Sprintf("%d KiB", size>>10)
	}
	return fmt.Sprintf("%d B", size)
}

func (f *field) measureLatency(r *results, s *setup) error {
	out, cost, err := f.load(s, order{mode: "latency", conns: latencyConns, size: 64}, "latency")
	if err != nil {
		return err
	}
	r.add(s.name, "paced p50", out.P50)
	r.add(s.name, "paced p99", out.P99)
	r.add(s.name, "paced cpu", micros(cost)/float64(out.Count))
	return nil
}

func (f *field) measureConnects(r *results, s *setup) error {
	out, cost, err := f.load(s, order{mode: "connects", conns: f.options.conns}, "connects")
	if err != nil {
		return err
	}
	r.add(s.name, "connect rate", float64(out.Count)/out.Seconds)
	r.add(s.name, "connect cpu", micros(cost)/float64(out.Count))
	return nil
}

// measureIdle opens many sockets in each setup and looks at its memory: once they were idle for a while, and after one
// message of 16 KiB on each.
func (f *field) measureIdle(r *results) error {
	for i := range f.sockets {
		if s := &f.sockets[i]; s.processes != nil {
			if err := f.idle(r, s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

func (f *field) idle(r *results, s *setup) error {
	before, err := memory(s.processes)
	if err != nil {
		return err
	}
	g, err := newGenerator(f.self, order{mode: "idle", address: s.address, conns: f.options.idle, size: 16 << 10})
	if err != nil {
		return err
	}
	defer g.stop()
	time.Sleep(quiet)
	during, err := memory(s.processes)
	if err != nil {
		return err
	}
	f.profile(s, "/heap", "idle.heap")()
	if _, err := g.run(); err != nil {
		return err
	}
	after, err := memory(s.processes)
	if err != nil {
		return err
	}
	each := func(bytes int64) float64 { return float64(bytes-before) / 1024 / float64(f.options.idle) }
	r.add(s.name, "idle", each(during))
	r.add(s.name, "idle used", each(after))
	return nil
}

// summary sorts the waits and takes what is asked of them.
func summary(waits [][]time.Duration, took time.Duration) outcome {
	all := slices.Concat(waits...)
	slices.Sort(all)
	out := outcome{Count: len(all), Seconds: took.Seconds()}
	if len(all) > 0 {
		out.P50, out.P99 = micros(all[len(all)/2]), micros(all[len(all)*99/100])
	}
	return out
}
