package redis

import (
	"context"
	"strconv"
	"time"
)

// OpenAt opens a store whose scripts go by another clock than the server's.
func OpenAt(ctx context.Context, c Config, now func() time.Time) (*Store, error) {
	s, err := Open(ctx, c)
	if err == nil {
		s.now = func() string { return strconv.FormatInt(now().UnixMicro(), 10) }
	}
	return s, err
}
