//go:build race

package jws_test

// raceEnabled: the race detector drops pooled objects at random, so allocations cannot be counted under it.
const raceEnabled = true
