package redis_test

import (
	"context"
	"crypto/tls"
	"log"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// A node opens the store once and gives it to its ledger, its issuer and its ticket office.
func Example() {
	ctx := context.Background()
	store, err := redis.Open(ctx, redis.Config{
		Addresses: []string{"sentinel-1:26379", "sentinel-2:26379", "sentinel-3:26379"},
		Sentinel:  &redis.Sentinel{Master: "game"},
		Username:  "sallyport",
		Password:  "from a secret",
		TLS:       &tls.Config{},
		Replicas:  1,
		Observe: func(s redis.State) {
			log.Printf("redis: epoch %d, healed %v, %d written again, %s", s.Epochs, s.Healed, s.Reasserted, s.LastError)
		},
	})
	if err != nil {
		log.Print(err)
		return
	}
	defer store.Close()
	ledger, err := session.NewLedger(session.LedgerConfig{Store: store, Policy: session.Grace})
	if err != nil {
		log.Print(err)
		return
	}
	if err := ledger.Run(ctx); err != nil {
		log.Print(err)
	}
}
