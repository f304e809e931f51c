package tokenapi

// MaxPolls is maxPolls, for tests.
const MaxPolls = maxPolls
