package storetest_test

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/session/storetest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(_ *testing.T, now func() time.Time) storetest.Stores {
		store := session.NewMemoryStoreAt(now)
		return storetest.Stores{Revocations: store, Families: store, Tickets: store, Cluster: store}
	})
}
