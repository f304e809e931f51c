package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/store/bolt"
)

const storeHelp = "\n\nThe store must be that of no running server. The exit status is 0 if it is good, 1 if it is damaged, in use or cannot be read."

func newStore(p Process) *cobra.Command {
	return group("store", "Check or compact the file of a store (store.type: bolt)", newStoreCheck(p), newStoreCompact(p))
}

// storeFlags say which store is meant.
type storeFlags struct {
	config, file string
}

func (s *storeFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.config, "config", "", "the configuration file that names the store")
	cmd.Flags().StringVar(&s.file, "file", "", "in place of --config: the store's file")
}

// path returns the store's file.
func (s *storeFlags) path(p Process, command string) (string, error) {
	if (s.config == "") == (s.file == "") {
		return "", usage("store %s wants one of --config and --file", command)
	}
	if s.file != "" {
		return s.file, nil
	}
	file, err := config.Load(s.config, p.Env)
	if err != nil {
		return "", err
	}
	if file.Store.Bolt == nil {
		return "", file.Problem("store.type", fmt.Errorf("is %s, which has no file; this command is for type bolt", file.Store.Type))
	}
	return file.Path(file.Store.Bolt.File), nil
}

func newStoreCheck(p Process) *cobra.Command {
	var flags storeFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read every page and record of a store, and change nothing",
		Long:  "Check reads a store's file from end to end and says what is in it, or what is wrong with it." + storeHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := flags.path(p, "check")
			if err != nil {
				return err
			}
			return storeCheck(cmd.Context(), p, path)
		},
	}
	flags.register(cmd)
	return cmd
}

func storeCheck(ctx context.Context, p Process, path string) error {
	report, err := bolt.Check(ctx, bolt.Config{Path: path, Now: p.Now})
	if err != nil {
		return app.ExplainStore(err)
	}
	return describeStore(p.Out, path, report)
}

func describeStore(w io.Writer, path string, r bolt.Report) error {
	fmt.Fprintf(w, "%s is good\n", path)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  format\t%d\n", r.Format)
	fmt.Fprintf(table, "  revocations\t%d, %d of them made void by later ones\n", r.Events, r.Void)
	fmt.Fprintf(table, "  refresh families\t%d\n", r.Families)
	fmt.Fprintf(table, "  unused tickets\t%d\n", r.Tickets)
	fmt.Fprintf(table, "  size\t%s, of which %s are free\n", bytesText(r.Bytes), bytesText(r.FreeBytes))
	return table.Flush()
}

// bytesText writes a size with the unit that fits.
func bytesText(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

func newStoreCompact(p Process) *cobra.Command {
	var flags storeFlags
	var older bool
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Write a store anew without what has expired, so that its file shrinks",
		Long: "Compact writes what has not expired to a second file, checks it and puts it in place of the first. There must be room\n" +
			"for both. If it is interrupted, the one or the other is there, whole." + storeHelp,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := flags.path(p, "compact")
			if err != nil {
				return err
			}
			return storeCompact(cmd.Context(), p, path, older)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&older, "accept-older-state", false, "take a file of which only the page that names the last commit is damaged; what that commit acknowledged may be lost")
	return cmd
}

func storeCompact(ctx context.Context, p Process, path string, older bool) error {
	done, err := bolt.Compact(ctx, bolt.CompactConfig{Config: bolt.Config{Path: path, Now: p.Now}, AcceptOlderState: older})
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted; %s is as it was", path)
	}
	if err != nil {
		return app.ExplainStore(err)
	}
	_, err = fmt.Fprintf(p.Out, "%s is compacted: %s before, %s now; %d records had expired\n", path, bytesText(done.Before), bytesText(done.After), done.Forgotten)
	return err
}
