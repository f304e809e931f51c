package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/edge"
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
	return errors.Join(printReach(p.Out, file), printGate(p.Out, file))
}

func printReach(w io.Writer, file *config.File) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PATH\tMETHODS\tWHO MAY REACH IT")
	for _, r := range app.WhoMayReach(file) {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Path, r.Methods, r.Who)
	}
	fmt.Fprintln(table, "everything else\tany\tnobody: 404")
	return table.Flush()
}

// printGate prints what the gate lets through, and the warnings of its routes.
func printGate(w io.Writer, file *config.File) error {
	if file.Gate == nil {
		return nil
	}
	fmt.Fprintf(w, "\nThe gate, at %s:\n\n", file.Gate.Listen)
	routes := file.GateRoutes()
	warned := warnings(routes)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PATH\tMETHODS\tWHO MAY PASS\tTO\tROUTE\tNOTE")
	for _, r := range edge.Table(routes) {
		note := cmp.Or(r.Note, "-")
		for _, warning := range warned {
			note = strings.ReplaceAll(note, "WARNING: "+warning, "WARNING, see below")
		}
		fmt.Fprintln(table, strings.Join([]string{r.Path, r.Methods, r.Who, cmp.Or(r.Backend, "-"), r.Route, note}, "\t"))
	}
	fmt.Fprintln(table, "everything else\tany\tnobody: 403\t-\t-\t-")
	if err := table.Flush(); err != nil {
		return err
	}
	for _, warning := range warned {
		fmt.Fprintf(w, "\nWARNING: %s\n", warning)
	}
	return nil
}

// warnings are those of the routes, each once.
func warnings(routes []edge.Route) []string {
	var all []string
	for _, r := range routes {
		if r.Warning != "" && !slices.Contains(all, r.Warning) {
			all = append(all, r.Warning)
		}
	}
	return all
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
