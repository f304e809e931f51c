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
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2) // so that the second is not lost while the first is taken
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		second := <-signals
		os.Exit(128 + int(second.(syscall.Signal))) // as a shell tells of a signal
	}()
	os.Exit(cli.Run(ctx, os.Args[1:], cli.OS()))
}
