//go:build !go1.26

package uuid

func withoutFIPS(f func()) { f() }
