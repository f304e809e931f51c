package testvectors

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.txt", "expect: accept\nnote: plain\n\nbody\n")
	write("b.txt", "encoding: quoted\n\n\"a\\r\\n\\x00\"\n")
	got := Load(t, dir)
	if len(got) != 2 || got[0].Name != "a" || got[0].Body != "body" || got[0].Get("note") != "plain" {
		t.Fatalf("got %+v", got)
	}
	if got[1].Body != "a\r\n\x00" || got[1].Get("expect") != "" {
		t.Fatalf("got %+v", got[1])
	}
}

func TestKeys(t *testing.T) {
	for _, name := range []string{"rsa-1", "rsa-2", "rsa-1024", "p256-1", "p256-2", "ed25519-1", "ed25519-2"} {
		if PrivateKey(t, name).Public() == nil {
			t.Errorf("%s has no public key", name)
		}
	}
	if len(Secret("a")) != 32 || string(Secret("a")) == string(Secret("b")) {
		t.Error("secrets must be 32 bytes and differ by name")
	}
}
