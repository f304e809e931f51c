package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// backend PORT serves a game server: /ws and everything below it gives back each message, and /who tells the player's id as the
// gate says it. It writes the targets of all requests to the file backend.log.
func backend(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	log, err := os.Create(ts.MkAbs("backend.log"))
	ts.Check(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(log, "%s %s\n", r.Method, r.RequestURI)
		if strings.HasPrefix(r.URL.Path, "/ws") {
			echo(w, r)
			return
		}
		fmt.Fprintf(w, "you are %q", r.Header.Get("X-Auth-User"))
	})}
	go func() { _ = server.Serve(listener) }()
	ts.Defer(func() {
		_ = server.Close()
		_ = log.Close()
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if conn.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// client is an open socket that writes what it hears to a file, and at the end how it was closed.
type client struct {
	conn *websocket.Conn
	file *os.File
}

// clients are those of a script by its folder and their names.
var clients sync.Map

// ws NAME URL [HEADER:VALUE…] opens a socket. What it hears is in the file NAME.
func ws(ts *testscript.TestScript, _ bool, args []string) {
	conn, answer, err := dial(args[1], args[2:])
	if err != nil {
		ts.Fatalf("%v %s", err, bodyOf(answer))
	}
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	clients.Store(ts.Getenv("WORK")+args[0], &client{conn, file})
	done := make(chan struct{})
	go func() {
		defer close(done)
		listen(conn, file)
	}()
	ts.Defer(func() {
		_ = conn.CloseNow()
		<-done
		_ = file.Close()
	})
}

func dial(url string, headers []string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	header := make(http.Header)
	for _, arg := range headers {
		name, value, _ := strings.Cut(arg, ":")
		header.Set(name, value)
	}
	return websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: header})
}

func listen(conn *websocket.Conn, to io.Writer) {
	for {
		_, text, err := conn.Read(context.Background())
		if closed := (websocket.CloseError{}); errors.As(err, &closed) {
			fmt.Fprintf(to, "closed %d %s\n", closed.Code, closed.Reason)
			return
		}
		if err != nil {
			fmt.Fprintf(to, "lost %v\n", err)
			return
		}
		fmt.Fprintf(to, "heard %s\n", text)
	}
}

func bodyOf(answer *http.Response) string {
	if answer == nil || answer.Body == nil {
		return ""
	}
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

// say NAME TEXT sends a message.
func say(ts *testscript.TestScript, _ bool, args []string) {
	found, ok := clients.Load(ts.Getenv("WORK") + args[0])
	if !ok {
		ts.Fatalf("no socket %s", args[0])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(found.(*client).conn.Write(ctx, websocket.MessageText, []byte(args[1])))
}

// wsrefused ANSWER URL [HEADER:VALUE…] wants a handshake to be refused: with an HTTP status, or by a close with the code.
func wsRefused(ts *testscript.TestScript, _ bool, args []string) {
	conn, answer, err := dial(args[1], args[2:])
	got := ""
	switch {
	case err == nil:
		defer conn.CloseNow()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _, err := conn.Read(ctx)
		got = strconv.Itoa(int(websocket.CloseStatus(err)))
	case answer != nil:
		got = strconv.Itoa(answer.StatusCode)
	default:
		got = err.Error()
	}
	if got != args[0] {
		ts.Fatalf("answered %s, want %s", got, args[0])
	}
}

// awaitsockets N URL asks /readyz until so many sockets are live.
func awaitSockets(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() (bool, string) {
		_, body, err := ask(http.MethodGet, args[1]+"/readyz", nil, "")
		return err == nil && strings.Contains(body, `"sockets":`+args[0]+"}"), fmt.Sprint(body, err)
	})
}

// awaitexpiry TIME asks for the one live socket, as the caller of the environment, until it expires later than that.
func awaitExpiry(ts *testscript.TestScript, _ bool, args []string) {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth(ts.Getenv("SALLYPORT_CALLER"), ts.Getenv("SALLYPORT_CALLER_SECRET"))
	until(ts, func() (bool, string) {
		_, body, err := ask(http.MethodGet, ts.Getenv("SALLYPORT_SERVER")+"/v1/sockets", r.Header, "")
		var found struct{ Sockets []struct{ Expires string } }
		if err != nil || json.Unmarshal([]byte(body), &found) != nil || len(found.Sockets) != 1 {
			return false, fmt.Sprint(body, err)
		}
		return found.Sockets[0].Expires > args[0], body
	})
}

// refusedport PORT waits until nobody listens there any more.
func refusedPort(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, func() (bool, string) {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+args[0], time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil, "it is listened to"
	})
}

// socketCommands are the commands above.
var socketCommands = map[string]func(*testscript.TestScript, bool, []string){
	"backend": backend, "ws": ws, "say": say, "wsrefused": wsRefused, "awaitsockets": awaitSockets, "refusedport": refusedPort, "awaitexpiry": awaitExpiry,
}
