// Command sallyport is authentication for real-time game servers: see sallyport --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sallyport-auth/sallyport/server/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := cli.Run(ctx, os.Args[1:], cli.OS())
	stop()
	os.Exit(status)
}
