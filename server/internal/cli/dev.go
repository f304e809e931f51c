package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/server/internal/dev"
)

func newDev(p Process) *cobra.Command {
	o := dev.Options{Out: p.Out, Log: p.Err, Now: p.Now}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, to try it out: identity provider, token API, gate, demonstration route",
		Long: "Dev starts an identity provider for development with one user, the token API, Photon's endpoint, a demonstration\n" +
			"route, and a gate before a game server that gives back what it is sent, and prints what to try. It is for this\n" +
			"machine alone: its identity provider mints tokens for anyone.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Program = program()
			return dev.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "", "the token API's address (default "+dev.DefaultListen+", or a free port if that is taken)")
	f.StringVar(&o.GateListen, "gate-listen", "", "the gate's address (default "+dev.DefaultGateListen+", or a free port if that is taken)")
	f.StringVar(&o.IDPListen, "idp-listen", "", "the identity provider's address (default "+dev.DefaultIDPListen+", or a free port if that is taken)")
	f.StringVar(&o.Data, "data", "", "a folder that keeps keys, users and the password over a restart (default: nothing is kept)")
	return cmd
}

// program is how to call this program from anywhere.
func program() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "sallyport"
}
