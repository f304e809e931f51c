package edge

// For tests of the pieces.
var (
	IsCanonicalPath  = isCanonicalPath
	IsCanonicalQuery = isCanonicalQuery
)

// Scan returns how many bytes of requests a scanner takes that is given them in pieces of this size.
func Scan(data []byte, piece int) (taken int) {
	var s scanner
	for len(data) > 0 {
		n := min(piece, len(data))
		good := s.take(data[:n])
		taken += good
		if good < n {
			return taken
		}
		data = data[n:]
	}
	return taken
}
