package dev

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// idle is how long a demonstration socket may be silent.
const idle = time.Hour

// game stands for a game server: it gives back each message of a socket.
func game(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the gate has judged the origin
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	for giveBack(r.Context(), conn) == nil {
	}
}

func giveBack(ctx context.Context, conn *websocket.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, idle)
	defer cancel()
	kind, message, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	return conn.Write(ctx, kind, message)
}
