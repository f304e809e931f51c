package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/server/internal/app"
	"github.com/sallyport-auth/sallyport/server/internal/config"
)

// verifyTimeout bounds a verification with its fetches of keys.
const verifyTimeout = 20 * time.Second

func newVerify(p Process) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the token on standard input; say which check failed and what would pass",
		Long: "Verify judges the token on standard input by a configuration: as a token of one of its identity providers, whose keys\n" +
			"are fetched, or as a session token. What is revoked only a running server knows: ask its /oauth2/introspect.",
		Example: "  sallyport token verify --config sallyport.yaml < token.txt",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usage("--config is missing: the configuration to verify by")
			}
			return verify(cmd.Context(), p, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the configuration to verify by")
	return cmd
}

func verify(ctx context.Context, p Process, path string) error {
	token, err := p.token()
	if err != nil {
		return err
	}
	v, err := verdictOf(ctx, p, path, token)
	if err != nil {
		return err
	}
	v.print(p.Out)
	if v.refusal != nil {
		return errRefused
	}
	return nil
}

// verdict is how a token was judged.
type verdict struct {
	who     string       // what the token stands for
	refusal *jws.Refusal // nil if it is good
}

// verdictOf judges a token by a configuration. The error is about the configuration, not the token.
func verdictOf(ctx context.Context, p Process, path, token string) (verdict, error) {
	file, err := config.Load(path, p.Env)
	if err != nil {
		return verdict{}, err
	}
	doors, err := app.OpenDoors(file, p.Now)
	if err != nil {
		return verdict{}, err
	}
	defer doors.Close()
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	// The unverified iss selects the verifier and nothing else. Nakama's session tokens have none.
	issuer, err := jws.UnverifiedIssuer(token)
	if err != nil {
		return refused(err)
	}
	if issuer == file.Issuer || issuer == "" && file.Nakama != nil {
		s, err := doors.Sessions.Verify(ctx, token)
		if err != nil {
			return refused(err)
		}
		return verdict{who: fmt.Sprintf("the session %s of the player %s in realm %s", s.ID, s.PlayerID, s.Player.Realm)}, nil
	}
	id, err := doors.Identities.Verify(ctx, token)
	if err != nil {
		return refused(err)
	}
	player := id.Player.ID(len(file.Realms()) == 1)
	return verdict{who: fmt.Sprintf("a token (%s) of %s, of the player %s in realm %s", id.Use, id.Issuer, player, id.Player.Realm)}, nil
}

func refused(err error) (v verdict, _ error) {
	if !errors.As(err, &v.refusal) {
		return v, err
	}
	return v, nil
}

// checks are the steps of a verification, in their order.
var checks = []jws.Check{jws.CheckFormat, jws.CheckAlgorithm, jws.CheckSignature, jws.CheckTime, jws.CheckIssuer, jws.CheckPolicy}

// print says how each check ended.
func (v verdict) print(w io.Writer) {
	if v.refusal == nil {
		fmt.Fprintf(w, "good: %s (revocation is not checked here)\n", v.who)
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	failed := slices.Index(checks, v.refusal.Check)
	for i, check := range checks {
		fmt.Fprintf(table, "%s\t%s\n", check, v.outcome(i, failed))
	}
	_ = table.Flush() // a stream that cannot be written to shows nothing of what follows either
}

func (v verdict) outcome(i, failed int) string {
	r := v.refusal
	switch {
	case i == failed:
		text := "FAILED: " + string(r.Reason)
		if r.Claim != "" {
			text += ", " + r.Claim
		}
		if r.Want != "" {
			text += "; wanted " + r.Want
		}
		if r.Verified && r.Got != "" {
			text += "; got " + printable(r.Got)
		}
		if r.Reason == jws.Unavailable && r.Err != nil {
			text += "; " + printable(r.Err.Error())
		}
		return text
	case i > failed || !r.Verified && i >= 2:
		return "not reached"
	default:
		return "ok"
	}
}
