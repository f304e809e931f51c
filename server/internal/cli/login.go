package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/srp"
)

const (
	passwordEnv     = "SALLYPORT_PASSWORD"
	clientSecretEnv = "SALLYPORT_CLIENT_SECRET"
	loginTimeout    = 30 * time.Second
)

type loginFlags struct {
	srp.LoginConfig
	print string
}

func newLogin(p Process) *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign a user in to a Cognito user pool (SRP) and print the tokens",
		Long: "Login signs a user in with SRP: the password is not sent. It is read from the environment variable " + passwordEnv + ",\n" +
			"from the terminal, or as the first line of standard input. The secret of an app client that has one is read from " + clientSecretEnv + ".",
		Example: "  sallyport login --pool eu-central-1_Example12 --client-id 1example23456789 --username alice --print id",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return login(cmd.Context(), p, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.UserPoolID, "pool", "", "the user pool's id")
	f.StringVar(&flags.ClientID, "client-id", "", "the app client's id")
	f.StringVar(&flags.Username, "username", "", "the user's name or an alias of it")
	f.StringVar(&flags.Endpoint, "endpoint", "", "the URL of the Cognito API (default: that of the pool's region)")
	f.StringVar(&flags.print, "print", "json", "what to print: id, access or refresh for that token alone, or json")
	return cmd
}

func login(ctx context.Context, p Process, flags loginFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	password, err := p.secret(passwordEnv, "Password")
	if err != nil {
		return err
	}
	flags.Password = password
	flags.ClientSecret, _ = p.Env(clientSecretEnv)
	flags.Now = p.Now
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	tokens, err := srp.Login(ctx, flags.LoginConfig)
	if err != nil {
		return err
	}
	return printTokens(p, flags.print, tokens)
}

func (f loginFlags) check() error {
	switch {
	case f.UserPoolID == "":
		return usage("--pool is missing: the user pool's id")
	case f.ClientID == "":
		return usage("--client-id is missing: the app client's id")
	case f.Username == "":
		return usage("--username is missing")
	}
	switch f.print {
	case "id", "access", "refresh", "json":
		return nil
	default:
		return usage("--print wants one of id, access, refresh, json")
	}
}

func printTokens(p Process, which string, tokens srp.Tokens) error {
	var err error
	switch which {
	case "id":
		_, err = fmt.Fprintln(p.Out, tokens.IDToken)
	case "access":
		_, err = fmt.Fprintln(p.Out, tokens.AccessToken)
	case "refresh":
		_, err = fmt.Fprintln(p.Out, tokens.RefreshToken)
	default:
		out := json.NewEncoder(p.Out)
		out.SetIndent("", "  ")
		err = out.Encode(struct {
			IDToken      string `json:"id_token"`
			AccessToken  string `json:"access_token"`
			RefreshToken string `json:"refresh_token"`
			ExpiresIn    int64  `json:"expires_in"`
		}{tokens.IDToken, tokens.AccessToken, tokens.RefreshToken, int64(tokens.ExpiresIn / time.Second)})
	}
	return err
}
