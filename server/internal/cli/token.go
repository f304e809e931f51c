package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sallyport-auth/sallyport/jws"
)

func newToken(p Process) *cobra.Command {
	return group("token", "Explain, verify and mint tokens", newExplain(p), newVerify(p), newMint(p))
}

func newExplain(p Process) *cobra.Command {
	var path string
	var unverified bool
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Show what is in the token on standard input, once it is verified",
		Long: "Explain verifies the token on standard input by a configuration and shows its header, claims and times. With\n" +
			"--unverified it shows what the token says of itself, which may all be made up.",
		Example: "  sallyport token explain --config sallyport.yaml < token.txt",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if unverified == (path != "") {
				return usage("explain wants --config FILE to verify by, or --unverified")
			}
			return explain(cmd.Context(), p, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the configuration to verify by")
	cmd.Flags().BoolVar(&unverified, "unverified", false, "show it without verification")
	return cmd
}

// explain shows a token: verified by the configuration at path, or if that is empty unverified.
func explain(ctx context.Context, p Process, path string) error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if path == "" {
		header, claims, err := parts(token)
		if err != nil {
			return err
		}
		fmt.Fprintln(p.Out, "UNVERIFIED: anyone can have written what follows; do not act on it.")
		return show(p.Out, "UNVERIFIED ", header, claims, p.Now())
	}
	v, err := verdictOf(ctx, p, path, token)
	if err != nil {
		return err
	}
	if v.refusal != nil {
		v.print(p.Err)
		fmt.Fprintln(p.Err, "The token is refused, so its contents are not shown; --unverified shows them all the same.")
		return errRefused
	}
	header, claims, err := parts(token)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.Out, "verified: "+v.who)
	return show(p.Out, "", header, claims, p.Now())
}

// parts decodes header and claims of a compact JWS without looking at its signature.
func parts(token string) (header, claims jws.Object, err error) {
	list := strings.Split(token, ".")
	if len(list) != 3 {
		return header, claims, fmt.Errorf("not a signed token: it has %d parts, want 3 (header.claims.signature)", len(list))
	}
	if header, err = part(list[0]); err != nil {
		return header, claims, fmt.Errorf("the header: %w", err)
	}
	if claims, err = part(list[1]); err != nil {
		return header, claims, fmt.Errorf("the claims: %w", err)
	}
	return header, claims, nil
}

func part(text string) (jws.Object, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return jws.Object{}, errors.New("not canonical base64url")
	}
	return jws.ParseObject(data)
}

// show prints a token's header and claims, and in words the times in them.
func show(w io.Writer, mark string, header, claims jws.Object, now time.Time) error {
	for _, object := range []struct {
		name string
		jws.Object
	}{{"header", header}, {"claims", claims}} {
		text, err := pretty(object.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s%s:\n%s\n", mark, object.name, text)
	}
	for _, name := range []string{"auth_time", "iat", "nbf", "exp"} {
		if seconds, ok := claims.Int64(name); ok {
			at := time.Unix(seconds, 0)
			fmt.Fprintf(w, "%s%s: %s, %s\n", mark, name, stamp(at), relative(at.Sub(now)))
		}
	}
	return nil
}

func pretty(o jws.Object) (string, error) {
	data, err := o.MarshalJSON()
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return "", err
	}
	return printable(out.String()), nil
}

// printable escapes what a terminal might obey or show in a misleading way.
func printable(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}

func relative(d time.Duration) string {
	if d < 0 {
		return (-d).Round(time.Second).String() + " ago"
	}
	return "in " + d.Round(time.Second).String()
}
