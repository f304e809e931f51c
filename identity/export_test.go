package identity

import "time"

// LogoutEntries is logoutEntries, for tests.
const LogoutEntries = logoutEntries

// LogoutMemory is the memory of logout tokens, for tests.
type LogoutMemory struct{ m *memory }

// NewLogoutMemory returns an empty memory.
func NewLogoutMemory() LogoutMemory { return LogoutMemory{newMemory()} }

// Seen is memory.seen.
func (l LogoutMemory) Seen(id string, now time.Time) bool { return l.m.seen(id, now) }

// Size is how many ids are remembered.
func (l LogoutMemory) Size() int { return len(l.m.new) + len(l.m.old) }

// ClerkPermissions is clerkPermissions, for tests.
func ClerkPermissions(fea, per, fpm string) []string { return clerkPermissions(fea, per, fpm) }
