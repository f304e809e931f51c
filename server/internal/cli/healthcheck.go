package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func newHealthcheck(p Process) *cobra.Command {
	var server string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server whether it is ready; the exit status says so",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return healthcheck(cmd.Context(), p, server) },
	}
	cmd.Flags().StringVar(&server, "server", p.envOr(serverEnv, defaultServer), "the server's URL (environment: "+serverEnv+")")
	return cmd
}

func healthcheck(ctx context.Context, p Process, server string) error {
	c, err := newClient(server)
	if err != nil {
		return err
	}
	status, body, err := c.do(ctx, http.MethodGet, "/readyz", "", nil)
	if err != nil {
		return err
	}
	var state struct {
		NotReady []string `json:"not_ready"`
	}
	switch {
	case status == http.StatusOK:
		_, err = fmt.Fprintln(p.Out, "ready")
		return err
	case status == http.StatusServiceUnavailable && json.Unmarshal(body, &state) == nil:
		return fmt.Errorf("not ready: %s", printable(strings.Join(state.NotReady, "; ")))
	default:
		return fmt.Errorf("this is no sallyport: /readyz answered %d", status)
	}
}
