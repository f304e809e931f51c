// Package cli is the command line of sallyport: one file per command. A command reads its flags, calls the package that
// does the work, and prints; it decides nothing itself.
//
//	os.Exit(cli.Run(ctx, os.Args[1:], cli.OS()))
//
// Passwords, secrets and tokens are read from standard input, the terminal or the environment and never from arguments,
// which other users of the machine can read and shells remember. Results go to standard output, everything else to
// standard error. The exit status is 0 for success, 1 for a failure or a refusal, 2 for a command line that is wrong.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// Process is what a command knows of its surroundings.
type Process struct {
	// In, Out and Err are the standard streams.
	In       io.Reader
	Out, Err io.Writer
	// Env looks up an environment variable.
	Env func(name string) (string, bool)
	// Now is the clock.
	Now func() time.Time
}

// OS is the surroundings of this process.
func OS() Process {
	return Process{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Now: time.Now}
}

// errUsage is wrapped by errors about the command line itself.
var errUsage = errors.New("see --help")

// errRefused is returned by commands that have already printed why they end with status 1.
var errRefused = errors.New("refused")

// Run executes one command line and returns the exit status. It ends when ctx does.
func Run(ctx context.Context, args []string, p Process) int {
	root := newRoot(p)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRefused):
		return exitFailure
	}
	fmt.Fprintf(p.Err, "sallyport: %v\n", err)
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailure
}

func newRoot(p Process) *cobra.Command {
	root := &cobra.Command{
		Use:           "sallyport",
		Short:         "Authentication for real-time game servers",
		Long:          "Sallyport verifies players' identity tokens, makes and verifies game sessions, and ends them.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	root.AddCommand(
		newDev(p), newServe(p), newCheckConfig(p), newConfigDoc(p), newHealthcheck(p), newVersion(p),
		newLogin(p), newToken(p), newKeys(p), newStore(p),
		newRevoke(p), newBan(p), newUnban(p), newCutoff(p), newSockets(p),
	)
	return root
}

// usage is an error about the command line.
func usage(format string, args ...any) error {
	return fmt.Errorf("%s (%w)", fmt.Sprintf(format, args...), errUsage)
}

// noArgs refuses arguments without repeating them: one may be a token that was meant for standard input. A command that was
// almost right is named.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		for distance := range max(2, len(args[0])/3) {
			cmd.SuggestionsMinimumDistance = distance + 1
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				return usage("unknown command for %q; did you mean %q?", cmd.CommandPath(), near[0])
			}
		}
		return usage("unknown command for %q", cmd.CommandPath())
	}
	if cmd.HasAvailableLocalFlags() {
		return usage("%s takes no arguments, only flags", cmd.CommandPath())
	}
	return usage("%s takes no arguments", cmd.CommandPath())
}

// oneArg wants exactly one argument and names it otherwise.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s wants one argument, %s", cmd.CommandPath(), name)
		}
		return nil
	}
}

// group is a command that has only commands of its own.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}
