package uuid_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sallyport-auth/sallyport/internal/uuid"
)

// The example of RFC 9562 appendix A.6.
func TestNewV7(t *testing.T) {
	now := time.UnixMilli(0x017F22E279B0)
	random := bytes.NewReader([]byte{0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F})
	id, err := uuid.NewV7(now, random)
	if want := "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"; err != nil || id != want {
		t.Fatalf("got %s, %v; want %s", id, err, want)
	}
	if at, ok := uuid.TimeOfV7(id); !ok || !at.Equal(now) {
		t.Errorf("its time is %v, %v; want %v", at, ok, now)
	}
	if _, err := uuid.NewV7(now, iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("without randomness: %v", err)
	}
}

func TestV5(t *testing.T) {
	a, b := uuid.V5("pool", "alice"), uuid.V5("pool", "alice")
	if a != b || a[14] != '5' {
		t.Errorf("got %s and %s", a, b)
	}
	for _, other := range [][2]string{{"poola", "lice"}, {"pool", "Alice"}, {"", "poolalice"}} {
		if uuid.V5(other[0], other[1]) == a {
			t.Errorf("%q collides", other)
		}
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"919108F7-52D1-4320-9BAC-F847DB4148A8":          "919108f7-52d1-4320-9bac-f847db4148a8",
		"919108f7-52d1-4320-9bac-f847db4148a8":          "919108f7-52d1-4320-9bac-f847db4148a8",
		"{919108f7-52d1-4320-9bac-f847db4148a8}":        "",
		"urn:uuid:919108f7-52d1-4320-9bac-f847db4148a8": "",
		"919108f752d143209bacf847db4148a8":              "",
		"919108f7-52d1-4320-9bac-f847db4148ag":          "",
		"919108f7052d1-4320-9bac-f847db4148a8":          "",
		"":                                              "",
	} {
		got, ok := uuid.Canonical(in)
		if got != want || ok != (want != "") {
			t.Errorf("Canonical(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	if _, ok := uuid.TimeOfV7("919108f7-52d1-4320-9bac-f847db4148a8"); ok {
		t.Error("a version 4 has no time")
	}
}

// TestV5UnderFIPS runs TestV5 in a process of FIPS 140-only mode, in which SHA-1 panics.
func TestV5UnderFIPS(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "fips140") {
		return // this is that process
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "TestV5$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestV5") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestV5IsForEver: ids that were given out must not change.
func TestV5IsForEver(t *testing.T) {
	if got, want := uuid.V5("https://idp.example", "subject"), "89116e80-7bff-566f-86d8-d75677b99a82"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
