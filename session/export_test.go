package session

// RefreshTokenOf is the refresh token of a family with a number.
func RefreshTokenOf(f Family, number uint64) string { return f.refreshToken(number) }
