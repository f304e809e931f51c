package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/config"
	"github.com/sallyport-auth/sallyport/server/internal/keyfile"
	"github.com/sallyport-auth/sallyport/session"
)

func newKeys(p Process) *cobra.Command {
	return group("keys", "Make, rotate and list the keys that sign session tokens",
		newKeysNew(p), newKeysRotate(p), newKeysList(p))
}

func newKeysNew(p Process) *cobra.Command {
	var alg string
	cmd := &cobra.Command{
		Use:   "new FILE",
		Short: "Make a key file with one key; a file that is there is left alone",
		Args:  oneArg("the key file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := keyfile.Create(args[0], jws.Algorithm(alg), p.Now()); err != nil {
				return err
			}
			return listKeys(p, args[0], session.KeyringConfig{})
		},
	}
	algorithmFlag(cmd, &alg)
	return cmd
}

func newKeysRotate(p Process) *cobra.Command {
	var alg string
	var lifetimes lifetimeFlags
	cmd := &cobra.Command{
		Use:   "rotate FILE",
		Short: "Add a key: it is published now, signs one cache lifetime later, and the one before it retires then",
		Long: "Rotate adds a key to a file. Send running servers SIGHUP afterwards. The lifetimes are those of the\n" +
			"configuration (sessions.key_cache_lifetime and sessions.token_lifetime); keys whose last token has expired are removed.",
		Args: oneArg("the key file"),
		RunE: func(_ *cobra.Command, args []string) error {
			ring, err := keyfile.Rotate(args[0], jws.Algorithm(alg), lifetimes.ring(p))
			if err != nil {
				return err
			}
			return printKeys(p.Out, ring.State())
		},
	}
	algorithmFlag(cmd, &alg)
	lifetimes.register(cmd.Flags())
	return cmd
}

func newKeysList(p Process) *cobra.Command {
	var lifetimes lifetimeFlags
	cmd := &cobra.Command{
		Use:   "list FILE",
		Short: "List the keys of a file and what each is doing now; prints nothing secret",
		Args:  oneArg("the key file"),
		RunE: func(_ *cobra.Command, args []string) error {
			return listKeys(p, args[0], lifetimes.ring(p))
		},
	}
	lifetimes.register(cmd.Flags())
	return cmd
}

func algorithmFlag(cmd *cobra.Command, alg *string) {
	cmd.Flags().StringVar(alg, "algorithm", string(jws.EdDSA), "EdDSA, ES256 or RS256")
}

// lifetimeFlags are what decides when a key retires and when it is gone.
type lifetimeFlags struct{ cache, token config.Duration }

func (l *lifetimeFlags) register(f *pflag.FlagSet) {
	f.TextVar(&l.cache, "cache-lifetime", config.Duration(time.Hour), "how long verifiers may keep the published keys")
	f.TextVar(&l.token, "token-lifetime", config.Duration(2*time.Hour), "the lifetime of session tokens")
}

func (l *lifetimeFlags) ring(p Process) session.KeyringConfig {
	return session.KeyringConfig{CacheLifetime: time.Duration(l.cache), TokenLifetime: time.Duration(l.token), Now: p.Now}
}

func listKeys(p Process, path string, c session.KeyringConfig) error {
	c.Now = p.Now
	ring, err := keyfile.Ring(path, c)
	if err != nil {
		return err
	}
	return printKeys(p.Out, ring.State())
}

func printKeys(w io.Writer, keys []session.KeyState) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tALGORITHM\tSTATE\tSIGNS FROM\tRETIRES\tGONE")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", k.KeyID, k.Algorithm, k.State, stamp(k.Signs), stamp(k.Retires), stamp(k.Gone))
	}
	return table.Flush()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
