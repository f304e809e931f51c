package connect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/jws"
)

// closeReasons are all reasons, in the order of docs/close-codes.md.
var closeReasons = []connect.CloseReason{
	connect.CloseFinished, connect.CloseExpired, connect.CloseRevoked, connect.CloseBanned, connect.CloseReplaced,
	connect.CloseSlotTaken, connect.CloseKicked, connect.CloseRefused, connect.CloseDraining, connect.CloseUnavailable,
	connect.CloseLapsed, connect.CloseBackendLost, connect.CloseSilent, connect.CloseSlow, connect.CloseIdle, connect.CloseFlooding,
}

var profiles = []connect.Profile{connect.ProfileNakama, connect.ProfileColyseus, connect.ProfilePlain}

// TestCloseCodesPage holds the table of docs/close-codes.md against the code.
func TestCloseCodesPage(t *testing.T) {
	var table strings.Builder
	table.WriteString("| reason | the client should | `nakama` | `colyseus` | `plain` | text |\n|---|---|---|---|---|---|\n")
	for _, reason := range closeReasons {
		c := connect.ProfilePlain.Closing(reason)
		fmt.Fprintf(&table, "| `%s` | %s |", reason, c.Action)
		for _, profile := range profiles {
			fmt.Fprintf(&table, " %d |", profile.Closing(reason).Code)
		}
		fmt.Fprintf(&table, " `%s` |\n", c.Text)
	}
	page, err := os.ReadFile("../docs/close-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/close-codes.md has not this table:\n%s", &table)
	}
}

func TestEveryCloseCanBeSentAndUnderstood(t *testing.T) {
	for _, profile := range profiles {
		actions := make(map[int]connect.CloseAction)
		for _, reason := range closeReasons {
			c := profile.Closing(reason)
			if c.Reason != reason {
				t.Errorf("%s: %s is told as %s", profile, reason, c.Reason)
			}
			if !sendable(c.Code) {
				t.Errorf("%s: %s has the code %d, which no close frame may have", profile, reason, c.Code)
			}
			if known, ok := actions[c.Code]; ok && known != c.Action {
				t.Errorf("%s: code %d means both %q and %q", profile, c.Code, known, c.Action)
			}
			actions[c.Code] = c.Action
			if len(c.Text) >= 123 || !strings.HasPrefix(c.Text, string(reason)+": ") {
				t.Errorf("%s: %s has the text %q", profile, reason, c.Text)
			}
		}
	}
}

// sendable is RFC 6455 section 7.4 with IANA's registry: 1005, 1006 and 1015 never appear on the wire.
func sendable(code int) bool {
	return code >= 1000 && code <= 1014 && !slices.Contains([]int{1004, 1005, 1006}, code) || code >= 3000 && code <= 4999
}

// TestColyseusReconnectsOnlyWhereItShould has the codes on which @colyseus/sdk 0.18 reconnects by itself, with the old token.
func TestColyseusReconnectsOnlyWhereItShould(t *testing.T) {
	for _, reason := range closeReasons {
		c := connect.ProfileColyseus.Closing(reason)
		reconnects := slices.Contains([]int{1001, 1005, 1006, 4010}, c.Code)
		if reconnects != (c.Action == connect.ComeBack) {
			t.Errorf("%s: the SDK reconnects: %v, and the client should %s", reason, reconnects, c.Action)
		}
	}
}

// TestNakamaCodesReachUnity has the codes that .NET's ManagedWebSocket took before dotnet/runtime#83827; it drops a close
// frame with any other code, and its reason.
func TestNakamaCodesReachUnity(t *testing.T) {
	for _, reason := range closeReasons {
		code := connect.ProfileNakama.Closing(reason).Code
		if !(code >= 1000 && code <= 1003 || code >= 1007 && code <= 1011 || code >= 3000 && code <= 4999) {
			t.Errorf("%s has the code %d", reason, code)
		}
	}
}

func TestUnknownReasonsAndProfilesMeanStop(t *testing.T) {
	want := connect.Closing{Reason: connect.CloseRefused, Action: connect.Stop, Code: 1008, Text: "refused: not admitted"}
	for _, got := range []connect.Closing{
		connect.ProfileColyseus.Closing("no such reason"), connect.Profile("no such profile").Closing(connect.CloseDraining),
		connect.ProfilePlain.Closing(connect.CloseRefused),
	} {
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestCloseReasonOf(t *testing.T) {
	refused := func(reason jws.Reason) error { return &jws.Refusal{Reason: reason} }
	for _, c := range []struct {
		err  error
		want connect.CloseReason
	}{
		{refused(jws.Expired), connect.CloseExpired},
		{refused(jws.Revoked), connect.CloseRevoked},
		{fmt.Errorf("admitting: %w", refused(jws.Banned)), connect.CloseBanned},
		{refused(jws.Unavailable), connect.CloseUnavailable},
		{refused(jws.BadSignature), connect.CloseRefused},
		{connect.ErrSlotTaken, connect.CloseSlotTaken},
		{fmt.Errorf("admitting: %w", connect.ErrDraining), connect.CloseDraining},
		{context.Canceled, connect.CloseRefused},
		{errors.New("something else"), connect.CloseRefused},
	} {
		if got := connect.CloseReasonOf(c.err); got != c.want {
			t.Errorf("%v: got %s, want %s", c.err, got, c.want)
		}
	}
}
