// Command plugin is the Go runtime plugin that Nakama loads: package nakama and nothing else.
//
//	CGO_ENABLED=1 go build -trimpath -buildmode=plugin -o sallyport.so ./plugin
package main

import (
	"context"
	"database/sql"

	"github.com/heroiclabs/nakama-common/runtime"

	"github.com/sallyport-auth/sallyport/nakama"
)

// InitModule is what Nakama calls when it has loaded the plugin.
func InitModule(ctx context.Context, logger runtime.Logger, db *sql.DB, nk runtime.NakamaModule, initializer runtime.Initializer) error {
	return nakama.Register(ctx, logger, db, nk, initializer)
}

func main() {} // never runs
