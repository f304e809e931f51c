package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for something that takes milliseconds on an idle machine.
const patience = time.Minute

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sallyport": main})
}

// TestScripts runs every script in testdata over the program. Besides testscript's own commands there are those below.
func TestScripts(t *testing.T) {
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"freeport":  freeport,
		"await":     await,
		"awaitpost": awaitPost,
		"awaitfile": awaitFile,
		"http":      request,
		"capture":   capture,
		"signal":    sendSignal,
		"nosecrets": noSecrets,
		"count":     count,

		"redis":       startRedis,
		"signalredis": signalRedis,
	}
	maps.Copy(commands, socketCommands)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                commands,
		// A running server must not live as long as the test's own deadline.
		Deadline: time.Now().Add(6 * time.Minute),
	})
}

// freeport NAME… sets each variable to a port that is free now.
func freeport(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer listener.Close()
		ts.Setenv(name, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
}

// await STATUS URL [TEXT] asks until the answer has this status and text.
func await(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() (bool, string) {
		status, body, err := ask(http.MethodGet, args[1], nil, "")
		if err != nil {
			return false, err.Error()
		}
		return strconv.Itoa(status) == args[0] && (len(args) < 3 || strings.Contains(body, args[2])), body
	})
}

// awaitpost URL ID/SECRET FORM TEXT asks as a caller until the answer has the text.
func awaitPost(ts *testscript.TestScript, _ bool, args []string) {
	id, secret, _ := strings.Cut(strings.TrimPrefix(args[1], "Basic:"), "/")
	r := http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	r.SetBasicAuth(id, secret)
	until(ts, func() (bool, string) {
		_, body, err := ask(http.MethodPost, args[0], r.Header, args[2])
		return err == nil && strings.Contains(body, args[3]), fmt.Sprint(body, err)
	})
}

// awaitfile FILE TEXT reads a file until the text is in it.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() (bool, string) {
		text := ts.ReadFile(args[0])
		return strings.Contains(text, args[1]), text
	})
}

func until(ts *testscript.TestScript, reached func() (bool, string)) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, now := reached()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("not reached; last: %s", now)
		case <-ticker.C:
		}
	}
}

// http STATUS METHOD URL [HEADER:VALUE…] [-- BODY] sends a request. Stdout is the answer's body.
func request(ts *testscript.TestScript, _ bool, args []string) {
	var body string
	if i := slices.Index(args, "--"); i >= 0 {
		args, body = args[:i], strings.Join(args[i+1:], "&")
	}
	header := make(http.Header)
	for _, arg := range args[3:] {
		name, value, _ := strings.Cut(arg, ":")
		header.Set(name, value)
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if id, secret, ok := strings.Cut(header.Get("Basic"), "/"); ok {
		header.Del("Basic")
		r := http.Request{Header: header}
		r.SetBasicAuth(id, secret)
	}
	status, answer, err := ask(args[1], args[2], header, body)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), answer)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("status %d, want %s: %s", status, args[0], answer)
	}
}

func ask(method, url string, header http.Header, body string) (int, string, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if header != nil {
		r.Header = header
	}
	client := http.Client{Timeout: patience}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(data), err
}

// capture NAME [REGEXP] sets a variable to what the expression's group matches in the last stdout, or to all of it.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile("stdout")
	if len(args) == 1 {
		ts.Setenv(args[0], strings.TrimSpace(text))
		return
	}
	match := regexp.MustCompile(args[1]).FindStringSubmatch(text)
	if match == nil {
		ts.Fatalf("no %s in %s", args[1], text)
	}
	ts.Setenv(args[0], match[1])
}

// signal HUP|TERM PROGRAM sends the signal to the background process of a program.
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}
	for _, cmd := range ts.BackgroundCmds() {
		if filepath.Base(cmd.Args[0]) == args[1] {
			ts.Check(cmd.Process.Signal(signals[args[0]]))
			return
		}
	}
	ts.Fatalf("no %s runs", args[1])
}

// nosecrets FILE VARIABLE… checks that no variable's value is in the file, and no part of it that is a token's.
func noSecrets(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for _, name := range args[1:] {
		value := ts.Getenv(name)
		if len(value) < 6 {
			ts.Fatalf("%s is no secret", name)
		}
		for part := range strings.SplitSeq(value, ".") {
			if strings.Contains(text, part) {
				ts.Fatalf("%s has a part of %s", args[0], name)
			}
		}
	}
}

// count N TEXT checks how many lines of the last stderr have the text.
func count(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if strings.Contains(line, args[1]) {
			got++
		}
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%d lines with %q, want %s", got, args[1], args[0])
	}
}

// TestPastedCommands builds the program, starts its dev command, and pastes what it prints into a shell.
func TestPastedCommands(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the printed commands need %s: %v", tool, err)
		}
	}
	program := t.TempDir() + "/sallyport"
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	introduction := startDev(t, program)
	var commands []string
	for line := range strings.Lines(introduction) {
		if strings.HasPrefix(line, "IDENTITY=") || strings.HasPrefix(line, "SESSION=") || strings.HasPrefix(line, "curl ") {
			commands = append(commands, line)
		}
	}
	if len(commands) != 5 {
		t.Fatalf("%d commands to paste in\n%s", len(commands), introduction)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.Join(commands, "")).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	call := regexp.MustCompile(`(?s)^HTTP/1.1 200 OK.*"player_id":"[0-9a-f-]{36}","username":"alice".*HTTP/1.1 200 OK.*HTTP/1.1 401 Unauthorized.*"reason":"revoked"`)
	if !call.Match(out) {
		t.Errorf("the commands print\n%s", out)
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); !bytes.Contains(readme, []byte("\n"+lines[len(lines)-1]+"\n")) {
		t.Errorf("README.md does not show the answer that the last command gets: %s", lines[len(lines)-1])
	}
	for _, command := range commands {
		if want := "\n$ " + asInReadme(command, commands, program); !bytes.Contains(readme, []byte(want)) {
			t.Errorf("README.md does not show the command %s", want)
		}
	}
}

// asInReadme puts what README.md shows in place of what is another at each start.
func asInReadme(command string, all []string, program string) string {
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	return strings.NewReplacer(
		url.FindString(all[0]), "http://127.0.0.1:9229", url.FindString(all[1]), "http://127.0.0.1:8080",
		program, "bin/sallyport", regexp.MustCompile(`SALLYPORT_PASSWORD=\S+`).FindString(all[0]), "SALLYPORT_PASSWORD=…", "curl -i ", "curl ",
	).Replace(command)
}

// startDev returns what the dev command prints once it is up.
func startDev(t *testing.T, program string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "dev", "--listen", "127.0.0.1:0", "--idp-listen", "127.0.0.1:0", "--gate-listen", "127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	var text bytes.Buffer
	for buffer := make([]byte, 4096); !strings.Contains(text.String(), "Ctrl-C"); {
		n, err := out.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%v after\n%s", err, &text)
		}
	}
	t.Logf("ready after %v", time.Since(began))
	return text.String()
}
