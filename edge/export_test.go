package edge

// For tests of the pieces.
var (
	IsCanonicalPath  = isCanonicalPath
	IsCanonicalQuery = isCanonicalQuery
)
