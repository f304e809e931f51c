// Package mutants plants holes in copies of the modules, one at a time, and wants the check that is meant for each to find it. A hole
// that nobody finds, or that no longer fits the modules, fails the test.
package mutants
