package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sallyport-auth/sallyport/connect"
)

func newSockets(p Process) *cobra.Command {
	return group("sockets", "List or end the live sockets of a running server, and of all nodes beside it", newSocketsLs(p), newSocketsKick(p))
}

// socketFlags select sockets on a server.
type socketFlags struct {
	operator
	filter map[string]*string
}

func (s *socketFlags) register(p Process, f *pflag.FlagSet) {
	s.operator.register(p, f)
	s.filter = make(map[string]*string)
	for _, flag := range []struct{ name, about string }{
		{"realm", "the player's realm"},
		{"subject", "the player's subject, the sub of their identity tokens"},
		{"user-id", "in place of realm and subject: the id by which the backend knows the player"},
		{"session", "the session's id"},
		{"route", "the gate's route"},
		{"node", "the node, as sockets ls names it"},
		{"socket", "the socket's number; with --node, where there are several"},
	} {
		s.filter[strings.ReplaceAll(flag.name, "-", "_")] = f.String(flag.name, "", flag.about)
	}
}

// set are the flags that select something.
func (s *socketFlags) set() map[string]string {
	all := make(map[string]string)
	for name, value := range s.filter {
		if *value != "" {
			all[name] = *value
		}
	}
	return all
}

func newSocketsLs(p Process) *cobra.Command {
	var flags socketFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List live sockets, of all nodes; flags select some",
		Long:  "Ls lists the live sockets: all, or those for which every flag that is set holds." + callerHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := make(url.Values)
			for name, value := range flags.set() {
				query.Set(name, value)
			}
			body, err := flags.ask(cmd.Context(), p, http.MethodGet, "/v1/sockets?"+query.Encode(), nil)
			if err != nil {
				return err
			}
			if asJSON {
				_, err = p.Out.Write(body)
				return err
			}
			return printSockets(p, body)
		},
	}
	flags.register(p, cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the server's answer as it is")
	return cmd
}

func newSocketsKick(p Process) *cobra.Command {
	var flags socketFlags
	cmd := &cobra.Command{
		Use:   "kick",
		Short: "End live sockets, on all nodes; their sessions stay good",
		Long: "Kick ends the live sockets for which every flag that is set holds; at least one must be. The players may come back:\n" +
			"ban or cutoff keeps them away." + callerHelp,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.set()) == 0 {
				return usage("sockets kick wants at least one of --realm and --subject, --user-id, --session, --route, --node, --socket")
			}
			order, err := json.Marshal(flags.set())
			if err != nil {
				return err
			}
			body, err := flags.ask(cmd.Context(), p, http.MethodPost, "/v1/sockets/kick", order)
			if err != nil {
				return err
			}
			return printKicked(p, body)
		},
	}
	flags.register(p, cmd.Flags())
	return cmd
}

// ask asks the server as a caller, and returns the body of its 200.
func (s *socketFlags) ask(ctx context.Context, p Process, method, path string, body []byte) ([]byte, error) {
	c, err := s.client(p)
	if err != nil {
		return nil, err
	}
	c.limit = maxSockets
	contentType := ""
	if body != nil {
		contentType = "application/json"
	}
	status, answer, err := c.do(ctx, method, path, contentType, body)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound:
		return nil, errors.New("the server has no gate, so there are no sockets")
	case status != http.StatusOK:
		return nil, problem(status, answer)
	}
	return answer, nil
}

// maxSockets is the most that is read of a list, enough for 200,000 sockets.
const maxSockets = 64 << 20

func printSockets(p Process, body []byte) error {
	var found connect.ClusterAnswer
	if err := json.Unmarshal(body, &found); err != nil {
		return fmt.Errorf("the server's answer is not understood: %w", err)
	}
	table := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tSOCKET\tROUTE\tSLOT\tREALM\tSUBJECT\tSESSION\tSINCE\tEXPIRES IN")
	for _, s := range found.Sockets {
		row := []string{
			s.Node, strconv.FormatUint(s.ID, 10), s.Slot.Route, s.Slot.Name, s.Player.Realm, s.Player.Subject, s.Session,
			s.Admitted.UTC().Format(time.RFC3339), s.Expires.Sub(p.Now()).Round(time.Second).String(),
		}
		for i, cell := range row {
			if row[i] = printable(cell); cell == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "%s on %s\n", number(len(found.Sockets), "socket"), number(len(found.Nodes), "node"))
	return silent(p.Err, found)
}

func printKicked(p Process, body []byte) error {
	var done connect.ClusterAnswer
	if err := json.Unmarshal(body, &done); err != nil {
		return fmt.Errorf("the server's answer is not understood: %w", err)
	}
	fmt.Fprintf(p.Out, "%s ended on %s\n", number(done.Kicked, "socket"), number(len(done.Nodes), "node"))
	return silent(p.Err, done)
}

// silent fails if a node that lives did not answer: what it holds is not known.
func silent(w io.Writer, answer connect.ClusterAnswer) error {
	if len(answer.Silent) == 0 {
		return nil
	}
	fmt.Fprintf(w, "sallyport: no answer from %s: what these nodes hold is not known\n", printable(strings.Join(answer.Silent, ", ")))
	return errRefused
}

func number(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}
