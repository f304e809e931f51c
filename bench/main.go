// Command bench prints, in one run, what verifying costs here, in the libraries that others use, and in the bare
// cryptography (the floor).
//
//	go run .
//
// Times are CPU time of the process, the mean of the least tenth of 1,000 short interleaved rounds: what an operation costs
// where nobody disturbs it. The median shows how much the machine was disturbed. The last table holds the figures against
// what was promised. It takes about four minutes.
//
// A live heap is held meanwhile, as a server has one, so that no round has to collect garbage: in an empty process the
// collector would run at every 4 MB. docs/performance.md says what collecting costs, and where the time goes.
package main

import (
	"fmt"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

func main() {
	live := make([]byte, 64<<20)
	err := run()
	runtime.KeepAlive(live)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	tables, err := newTables()
	if err != nil {
		return err
	}
	measured := make(map[string][]result)
	for _, t := range tables {
		results, err := measure(t.candidates)
		if err != nil {
			return err
		}
		measured[t.name] = results
		show(t, results)
	}
	return judge(measured)
}

func show(t table, results []result) {
	fmt.Printf("\n%s\n\n", t.title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "µs\t× floor\tallocs\tmedian µs\t  \t")
	for _, r := range results {
		fmt.Fprintf(w, "%.3f\t%.3f\t%.0f\t%.3f\t  %s\t\n", micros(r.cpu), r.ratio, r.allocs, micros(r.usual), r.name)
	}
	w.Flush()
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// promise is a bound that a row of a table must keep.
type promise struct {
	table, row string
	ratio      float64 // at most so many times the floor; 0 is no bound
	allocs     float64 // at most so many; negative is no bound
	micros     float64 // at most so many µs more than the floor; 0 is no bound
}

var promises = []promise{
	{table: "rs256", row: "sallyport jws", ratio: 1.05, allocs: 11},
	{table: "hs256", row: "sallyport jws", ratio: 2.5, allocs: 2},
	{table: "repeat", row: "sallyport identity, seen before", ratio: 0.02, allocs: 0},
	{table: "repeat", row: "sallyport session, seen before", ratio: 0.02, allocs: 0},
	{table: "middleware", row: "sallyport connect.Require, session", micros: 0.5, allocs: -1},
	{table: "middleware", row: "sallyport connect.Require, identity", micros: 0.5, allocs: -1},
}

// judge prints each promise with what was reached, and fails if one was not.
func judge(measured map[string][]result) error {
	fmt.Print("\nPromises\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	missed := 0
	for _, p := range promises {
		verdict := "reached"
		found, kept := p.keeps(measured[p.table])
		if !kept {
			verdict, missed = "MISSED", missed+1
		}
		fmt.Fprintf(w, "%s\t%s: %s\t%s\t%s\n", verdict, p.table, p.row, p.bound(), found)
	}
	w.Flush()
	if missed > 0 {
		return fmt.Errorf("%d of %d promises missed", missed, len(promises))
	}
	return nil
}

func (p promise) keeps(results []result) (found string, kept bool) {
	for _, r := range results {
		if r.name != p.row {
			continue
		}
		over := micros(r.cpu - results[0].cpu)
		kept = (p.ratio == 0 || r.ratio <= p.ratio) && (p.allocs < 0 || r.allocs <= p.allocs) && (p.micros == 0 || over <= p.micros)
		return fmt.Sprintf("found %.3f × floor, %.0f allocs, %+.2f µs", r.ratio, r.allocs, over), kept
	}
	return "no such row", false
}

func (p promise) bound() string {
	var b string
	if p.ratio > 0 {
		b += fmt.Sprintf("≤ %.2f × floor ", p.ratio)
	}
	if p.allocs >= 0 {
		b += fmt.Sprintf("≤ %.0f allocs ", p.allocs)
	}
	if p.micros > 0 {
		b += fmt.Sprintf("≤ %.1f µs a request ", p.micros)
	}
	return b
}
