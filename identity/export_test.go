package identity

import "time"

// LogoutEntries is logoutEntries, for tests.
const LogoutEntries = logoutEntries

// LogoutMemory is the memory of logout tokens, for tests.
type LogoutMemory struct{ m *memory }

// NewLogoutMemory returns an empty memory.
func NewLogoutMemory() LogoutMemory { return LogoutMemory{newMemory()} }

// Has is memory.has.
func (l LogoutMemory) Has(id string) bool { return l.m.has(id) }

// Remember is memory.remember.
func (l LogoutMemory) Remember(id string, now time.Time) { l.m.remember(id, now) }

// Size is how many ids are remembered.
func (l LogoutMemory) Size() int { return len(l.m.new) + len(l.m.old) }

// ClerkPermissions is clerkPermissions, for tests.
func ClerkPermissions(fea, per, fpm string) []string { return clerkPermissions(fea, per, fpm) }
