package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sallyport-auth/sallyport/server/internal/config"
)

const (
	serverEnv = "SALLYPORT_SERVER"
	callerEnv = "SALLYPORT_CALLER"
	secretEnv = "SALLYPORT_CALLER_SECRET"
)

const callerHelp = "\n\nThe server is called as one of its callers. The caller's secret is read from " + secretEnv + ", from the terminal,\nor as the first line of standard input."

// order is what an operator tells a running server. Empty members are left out.
type order struct {
	Session  string `json:"session,omitempty"`
	Upstream string `json:"upstream,omitempty"`
	Realm    string `json:"realm,omitempty"`
	Subject  string `json:"subject,omitempty"`
	UserID   string `json:"user_id,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Until    string `json:"until,omitempty"`
}

// operator are the flags of every order.
type operator struct {
	server, caller string
	order          order
}

func (o *operator) register(p Process, f *pflag.FlagSet) {
	f.StringVar(&o.server, "server", p.envOr(serverEnv, defaultServer), "the server's URL (environment: "+serverEnv+")")
	f.StringVar(&o.caller, "caller", p.envOr(callerEnv, ""), "the id of the caller to be (environment: "+callerEnv+")")
}

func (o *operator) player(f *pflag.FlagSet) {
	f.StringVar(&o.order.Realm, "realm", "", "the player's realm")
	f.StringVar(&o.order.Subject, "subject", "", "the player's subject, the sub of their identity tokens")
	f.StringVar(&o.order.UserID, "user-id", "", "in place of realm and subject: the id by which the backend knows the player")
}

func (p Process) envOr(name, otherwise string) string {
	if value, ok := p.Env(name); ok && value != "" {
		return value
	}
	return otherwise
}

func newRevoke(p Process) *cobra.Command {
	var o operator
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "End a session, or every session made from an upstream session",
		Long:  "Revoke ends one session by its id (sid, Nakama's tid), what was made from an upstream session, or the session whose token is on\nstandard input: who holds a token may end it, so that needs no caller." + callerHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fromStdin {
				return revokeToken(cmd.Context(), p, o.server)
			}
			if (o.order.Session == "") == (o.order.Upstream == "") {
				return usage("revoke wants one of --session, --upstream and --token-stdin")
			}
			return o.send(cmd.Context(), p, "revoke")
		},
	}
	o.register(p, cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&o.order.Session, "session", "", "the session's id")
	f.StringVar(&o.order.Upstream, "upstream", "", "the identity provider's session, such as Cognito's origin_jti; with --realm")
	f.StringVar(&o.order.Realm, "realm", "", "the realm of the upstream session")
	f.StringVar(&o.order.Reason, "reason", "", "why, for the records")
	f.BoolVar(&fromStdin, "token-stdin", false, "end the session whose session or refresh token is on standard input")
	return cmd
}

func revokeToken(ctx context.Context, p Process, server string) error {
	c, err := newClient(server)
	if err != nil {
		return err
	}
	token, err := p.token()
	if err != nil {
		return err
	}
	form := url.Values{"token": {token}}.Encode()
	status, body, err := c.do(ctx, http.MethodPost, "/oauth2/revoke", "application/x-www-form-urlencoded", []byte(form))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return problem(status, body)
	}
	return nil
}

func newBan(p Process) *cobra.Command {
	var o operator
	var until string
	cmd := &cobra.Command{
		Use:   "ban",
		Short: "Ban a player: every session ends, and no identity token buys a new one",
		Long:  "Ban refuses a player altogether, for good or until a time." + callerHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			end, err := endOf(until, p.Now())
			if err != nil {
				return err
			}
			o.order.Until = end
			return o.sendPlayer(cmd.Context(), p, "ban")
		},
	}
	o.register(p, cmd.Flags())
	o.player(cmd.Flags())
	cmd.Flags().StringVar(&until, "until", "", "the ban's end: a time such as 2026-12-24T18:00:00Z, or from now such as 12h or 30d (default: never)")
	cmd.Flags().StringVar(&o.order.Reason, "reason", "", "why, for the records")
	return cmd
}

// endOf returns the end of a ban as RFC 3339.
func endOf(text string, now time.Time) (string, error) {
	if text == "" {
		return "", nil
	}
	var d config.Duration
	if d.UnmarshalText([]byte(text)) == nil {
		return now.Add(time.Duration(d)).UTC().Format(time.RFC3339), nil
	}
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return "", usage("--until wants a time such as 2026-12-24T18:00:00Z, or a duration such as 12h or 30d")
	}
	return text, nil
}

func newUnban(p Process) *cobra.Command {
	return newPlayerOrder(p, "unban", "End a player's ban", "Unban ends a ban. Tokens from before and during the ban are accepted again.", false)
}

func newCutoff(p Process) *cobra.Command {
	return newPlayerOrder(p, "cutoff", "End everything that a player has open now",
		"Cutoff ends every session of a player, and refuses every identity token from before now. The player may sign in again.", true)
}

func newPlayerOrder(p Process, name, short, long string, reason bool) *cobra.Command {
	var o operator
	cmd := &cobra.Command{
		Use: name, Short: short, Long: long + callerHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.sendPlayer(cmd.Context(), p, name) },
	}
	o.register(p, cmd.Flags())
	o.player(cmd.Flags())
	if reason {
		cmd.Flags().StringVar(&o.order.Reason, "reason", "", "why, for the records")
	}
	return cmd
}

func (o *operator) sendPlayer(ctx context.Context, p Process, action string) error {
	named := o.order.Realm != "" && o.order.Subject != ""
	if named == (o.order.UserID != "") {
		return usage("%s wants --realm and --subject, or --user-id", action)
	}
	return o.send(ctx, p, action)
}

// client is one that is the caller.
func (o *operator) client(p Process) (*client, error) {
	c, err := newClient(o.server)
	if err != nil {
		return nil, err
	}
	if o.caller == "" {
		return nil, usage("--caller is missing: the id of one of the server's callers")
	}
	c.id = o.caller
	c.secret, err = p.secret(secretEnv, "Secret of "+o.caller)
	return c, err
}

// send gives the order to the server.
func (o *operator) send(ctx context.Context, p Process, action string) error {
	c, err := o.client(p)
	if err != nil {
		return err
	}
	body, err := json.Marshal(o.order)
	if err != nil {
		return err
	}
	status, answer, err := c.do(ctx, http.MethodPost, "/v1/admin/"+action, "application/json", body)
	if err != nil {
		return err
	}
	if status != http.StatusNoContent {
		return problem(status, answer)
	}
	_, err = fmt.Fprintln(p.Out, "done")
	return err
}
