package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/config"
)

func newCheckConfig(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "check-config FILE",
		Short: "Check a configuration file and print who may reach what",
		Long: "Check-config reads a configuration as serve would, with the files it names, and fetches nothing. It prints\n" +
			"everything that is wrong, each with file, line and column, or else a table of who may reach which path.",
		Args: oneArg("the configuration file"),
		RunE: func(_ *cobra.Command, args []string) error { return checkConfig(p, args[0]) },
	}
}

func checkConfig(p Process, path string) error {
	file, err := config.Load(path, p.Env)
	if err != nil {
		return err
	}
	if err := app.Check(file, p.Now); err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PATH\tMETHODS\tWHO MAY REACH IT")
	for _, r := range app.WhoMayReach(file) {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Path, r.Methods, r.Who)
	}
	fmt.Fprintln(table, "everything else\tany\tnobody: 404")
	return table.Flush()
}

func newConfigDoc(p Process) *cobra.Command {
	return &cobra.Command{
		Use:   "config-doc",
		Short: "Print the manual of the configuration file, as Markdown",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			manual, err := config.Manual()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(p.Out, manual)
			return err
		},
	}
}
