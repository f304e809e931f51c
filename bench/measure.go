package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// candidate is one thing that is measured: an operation and the name it has in the table.
type candidate struct {
	name string
	op   func() error
}

// result is what measuring a candidate gave.
type result struct {
	name   string
	cpu    time.Duration // CPU time of one operation, the mean of the tenth of all rounds that took least
	usual  time.Duration // the median of all rounds
	ratio  float64       // cpu divided by that of the floor
	allocs float64       // heap allocations of one operation
}

const (
	rounds    = 1000
	roundTime = 5 * time.Millisecond
)

// measure runs the candidates in turn, round by round, so that a slower phase of the machine meets all of them. The
// first one is the floor. Time is the CPU time of the process, since wall time on a shared machine says little.
//
// A figure is the mean of the tenth of many short rounds that took least. Whoever shares the core, its caches or its clock
// rate can only add to what an operation costs, and does not add the same to each: SHA-256 has a unit of its own in the
// core, while a parser shares all of it. The very least differs more from run to run.
func measure(candidates []candidate) ([]result, error) {
	// The kernel counts the time of a process's other threads some milliseconds late. If the work changed to another thread,
	// what it did before might not be counted in its round.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	times := make([][]float64, len(candidates))
	loops := make([]int, len(candidates))
	for i, c := range candidates {
		n, err := calibrate(c)
		if err != nil {
			return nil, err
		}
		loops[i] = n
	}
	for range rounds {
		for i, c := range candidates {
			ns, err := cpuTime(c, loops[i])
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], ns)
		}
	}
	results := make([]result, len(candidates))
	for i, c := range candidates {
		slices.Sort(times[i])
		cpu := mean(times[i][:rounds/10])
		ratio := cpu / mean(times[0][:rounds/10]) // the floor's are sorted already
		results[i] = result{c.name, time.Duration(cpu), time.Duration(times[i][rounds/2]), ratio, allocations(c)}
	}
	return results, nil
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}

// calibrate finds how many operations fill a round.
func calibrate(c candidate) (int, error) {
	for n := 1; ; n *= 2 {
		ns, err := cpuTime(c, n)
		if err != nil {
			return 0, err
		}
		if total := ns * float64(n); total > float64(roundTime)/4 {
			return max(1, int(float64(roundTime)/ns)), nil
		}
	}
}

// cpuTime runs an operation n times and returns the nanoseconds of CPU time that one took. It runs as often before, untimed: the
// candidate before it may allocate nothing, and then the runtime has given memory back, which this one would pay for as page
// faults. A server that verifies one token after the other does not.
func cpuTime(c candidate, n int) (float64, error) {
	if err := c.repeat(n); err != nil {
		return 0, err
	}
	runtime.GC()
	start := processTime()
	err := c.repeat(n)
	return float64(processTime()-start) / float64(n), err
}

func (c candidate) repeat(n int) error {
	for range n {
		if err := c.op(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // cannot fail for RUSAGE_SELF and a valid pointer (getrusage(2))
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// allocations is a whole number, as testing.AllocsPerRun's is: a pool that is filled again is not the operation's.
func allocations(c candidate) float64 {
	const n = 200
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		_ = c.op() // it succeeded in every round
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / n)
}
