package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// results are the figures of all rounds, by setup and name.
type results struct {
	conns, idle, rounds int
	load                string
	took                time.Duration
	figures             map[string][]float64
	order               []string // of the setups
}

func (r *results) add(setup, name string, value float64) {
	if r.figures == nil {
		r.figures = make(map[string][]float64)
	}
	if !slices.Contains(r.order, setup) {
		r.order = append(r.order, setup)
	}
	r.figures[setup+"|"+name] = append(r.figures[setup+"|"+name], value)
}

// median returns a figure, and false if it was not measured.
func (r *results) median(setup, name string) (float64, bool) {
	values := slices.Sorted(slices.Values(r.figures[setup+"|"+name]))
	if len(values) == 0 {
		return 0, false
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2, true
}

// added is by how much a setup is slower than the direct way.
func (r *results) added(setup, name string) (float64, bool) {
	there, ok := r.median(setup, name)
	straight, known := r.median(direct, name)
	return max(there-straight, 0), ok && known && setup != direct
}

// column is a column of a table: its title, and its figure for a setup with the digits behind the point.
type column struct {
	title  string
	digits int
	value  func(setup string) (float64, bool)
}

func (r *results) column(title, name string, digits int) column {
	return column{title, digits, func(setup string) (float64, bool) { return r.median(setup, name) }}
}

func (r *results) addedColumn(title, name string) column {
	return column{title, 0, func(setup string) (float64, bool) { return r.added(setup, name) }}
}

// markdown is what the run found.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rounds, interleaved, medians; 2 shared cores, load average %s at the end; %.0f s in all.\n", r.rounds, r.load, r.took.Seconds())
	r.table(&b, fmt.Sprintf("HTTP, %d keep-alive connections, a token verified in each request", r.conns), []column{
		r.column("requests/s", "http rate", 0), r.column("p50 ms", "http p50", 2), r.column("p99 ms", "http p99", 1), r.column("CPU µs/request", "http cpu", 1),
	})
	var messages []column
	for _, size := range sizes {
		name := sizeName(size)
		messages = append(messages, r.column(name+"/s", name+" rate", 0), r.column("CPU µs", name+" cpu", 1))
	}
	r.table(&b, fmt.Sprintf("Messages there and back, %d sockets", r.conns), messages)
	r.table(&b, fmt.Sprintf("%d messages/s of 64 B", pace), []column{
		r.addedColumn("added p50 µs", "paced p50"), r.addedColumn("added p99 µs", "paced p99"), r.column("CPU µs/message", "paced cpu", 1),
	})
	r.table(&b, fmt.Sprintf("Sockets opened and closed; memory of each of %d idle ones", r.idle), []column{
		r.column("connects/s", "connect rate", 0), r.column("CPU µs/connect", "connect cpu", 0),
		r.column("KiB idle", "idle", 2), r.column("after 16 KiB", "idle used", 2),
	})
	r.promises(&b)
	return b.String()
}

// table writes the setups for which there is a figure, nothing if there is none.
func (r *results) table(b *strings.Builder, title string, columns []column) {
	var lines strings.Builder
	for _, setup := range r.order {
		line, found := "| "+setup+" |", false
		for _, c := range columns {
			value, ok := c.value(setup)
			if found = found || ok; !ok {
				line += " |"
				continue
			}
			line += fmt.Sprintf(" %.*f |", c.digits, value)
		}
		if found {
			lines.WriteString(line + "\n")
		}
	}
	if lines.Len() == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s |", title)
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.title)
	}
	fmt.Fprintf(b, "\n|---|%s\n%s", strings.Repeat("---|", len(columns)), &lines)
}

// promises writes what was promised, what was found, and whether it was reached.
func (r *results) promises(b *strings.Builder) {
	b.WriteString("\n| promised | found | reached |\n|---|---|---|\n")
	atMost := func(what string, limit float64, unit string, value float64, ok bool) {
		promise(b, fmt.Sprintf("%s ≤ %.2f %s", what, limit, unit), value, ok, value <= limit)
	}
	ratio := func(what, name, of string, limit float64) {
		own, ok := r.median(gate, name)
		other, known := r.median(of, name)
		atMost(what, limit, "× "+of, own/other, ok && known)
	}
	idle, ok := r.median(gate, "idle")
	atMost("idle socket, all controls on", 2, "KiB", idle, ok)
	ratio("CPU per message, 64 B", "64 B cpu", haproxy, 1)
	ratio("CPU per message, 256 B", "256 B cpu", haproxy, 1)
	ratio("CPU per message, 16 KiB", "16 KiB cpu", haproxy, 0.65)
	own, ok := r.added(gate, "paced p99")
	other, known := r.added(haproxy, "paced p99")
	if ok && known && other <= 0 {
		b.WriteString("| added p99 at 1,000 messages/s ≤ 0.50 × HAProxy | the machine was too busy: the direct way was slower | not known |\n")
	} else {
		atMost("added p99 at 1,000 messages/s", 0.5, "× "+haproxy, own/other, ok && known)
	}
	ratio("CPU per connect (HAProxy asks for no token)", "connect cpu", haproxy, 1.5)
	ratio("the same, HAProxy verifying as well", "connect cpu", checked, 1.5)
	rate, ok := r.median(gate, "http rate")
	base, known := r.median(nar, "http rate")
	promise(b, "HTTP requests/s ≥ 1.40 × "+nar, rate/base, ok && known, rate/base >= 1.4)
	ratio("HTTP CPU per request", "http cpu", nar, 0.5)
}

func promise(b *strings.Builder, what string, value float64, measured, reached bool) {
	if !measured {
		return
	}
	word := "no"
	if reached {
		word = "yes"
	}
	fmt.Fprintf(b, "| %s | %.2f | %s |\n", what, value, word)
}

const (
	tableBegins = "<!-- make bench-edge writes from here -->\n"
	tableEnds   = "<!-- to here -->\n"
)

// replaceTable puts the text between the two comments of a file.
func replaceTable(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), tableBegins)
	_, after, closed := strings.Cut(rest, tableEnds)
	if !ok || !closed {
		return fmt.Errorf("%s has no %q and %q", file, tableBegins, tableEnds)
	}
	return os.WriteFile(file, []byte(before+tableBegins+"\n"+text+"\n"+tableEnds+after), 0o644)
}
