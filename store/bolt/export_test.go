package bolt

// BreakDisk makes every further write of the store fail.
func BreakDisk(s *Store) error { return s.file.Close() }
