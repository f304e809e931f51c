package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/logging"
)

func newServe(p Process) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a configuration",
		Long: "Serve runs the server of a configuration file until SIGINT or SIGTERM. SIGHUP reads the file, the key file and the\n" +
			"certificate again; a file with a mistake changes nothing. The log is JSON lines on standard error.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usage("--config is missing: the configuration file")
			}
			return serve(cmd.Context(), p, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the configuration file; config-doc prints its manual")
	return cmd
}

func serve(ctx context.Context, p Process, path string) error {
	// From here on SIGHUP must not end the process, not even while it starts.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	file, err := config.Load(path, p.Env)
	if err != nil {
		return err
	}
	listeners, err := app.Listen(file)
	if err != nil {
		return err
	}
	defer listeners.Close()
	secrets := new(logging.Secrets)
	logger := logging.New(p.Err, level(file.Log.Level), secrets)
	slog.SetDefault(logger)
	a, err := app.New(ctx, file, app.Options{Logger: logger, Secrets: secrets, Now: p.Now})
	if err != nil {
		return err
	}
	defer a.Close()
	go reload(ctx, p, a, path, hangup)
	return a.Serve(ctx, listeners)
}

// level is the slog level of a word of the configuration, which has been checked.
func level(word string) (l slog.Level) {
	_ = l.UnmarshalText([]byte(word))
	return l
}

// reload reads the configuration again at every SIGHUP.
func reload(ctx context.Context, p Process, a *app.App, path string, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		file, err := config.Load(path, p.Env)
		if err == nil {
			err = a.Reload(file)
		}
		a.Reloaded(err)
	}
}
