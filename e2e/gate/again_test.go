package gate_test

import (
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/edge"
	"github.com/sallyport-auth/sallyport/session"
)

// settle is how long a client that would come back again and again is given for it: they wait at most 1 s between attempts.
const settle = 4 * time.Second

// upgrades returns what was decided about sockets by now.
func (o *door) upgrades() (allowed, refused int) {
	for {
		select {
		case d := <-o.asked:
			switch {
			case d.Upgrade && d.Allowed:
				allowed++
			case d.Upgrade:
				refused++
			}
		default:
			return allowed, refused
		}
	}
}

// TestSpentTicketDoesNotLoop has clients that come back with the URL of before, the spent ticket in it, as wrappers such as
// reconnecting-websocket do. They heed docs/close-codes.md: what they are told once is enough to stop them, and a new ticket lets them in.
func TestSpentTicketDoesNotLoop(t *testing.T) {
	t.Parallel()
	for _, k := range kinds[:2] {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			clients := newDriver(t, k.name)
			o := newDoor(t, k, game(t, k.server), clients, nil)
			o.session, o.token = o.buy(t, o.issuer, alice)
			o.stubborn(o.id)
			clients.await(t, o.id, "open")
			kick(connect.CloseLapsed)(o) // 1013: come back
			if e := clients.await(t, o.id, "stop"); e.Code != 4401 {
				t.Errorf("the client stopped on %+v, want 4401 that says: get a new token", e)
			}
			<-time.After(settle)
			allowed, refused := o.upgrades()
			t.Logf("FIGURE the %s client came in %d time, and was told of its spent ticket %d time", k.name, allowed, refused)
			if allowed != 1 || refused != 1 {
				t.Errorf("%d upgrades were let in and %d refused, want 1 and 1", allowed, refused)
			}
			o.stubborn(o.id + " with a new ticket")
			clients.await(t, o.id+" with a new ticket", "open")
		})
	}
}

// stubborn has a client come in with a ticket that comes back with the same URL whenever it is told to come back.
func (o *door) stubborn(id string) {
	o.t.Helper()
	ticket, _, err := o.tickets.Issue(o.t.Context(), o.token, session.Binding{})
	if err != nil {
		o.t.Fatal(err)
	}
	o.driver.do(command{Op: "stubborn", ID: id, Address: o.valve.address, Ticket: ticket})
}

// TestColyseusWithAnExpiredTokenDoesNotLoop breaks the connection of a room, and lets its client back only when its token has
// expired. The SDK comes with the same URL, is told once, and leaves the room. A new room is refused by the matchmaker.
func TestColyseusWithAnExpiredTokenDoesNotLoop(t *testing.T) {
	t.Parallel()
	k := kinds[3]
	clients := newDriver(t, k.name)
	o := newDoor(t, k, game(t, k.server), clients, nil)
	o.issuer = o.brief
	o.play()
	o.valve.up.stop()
	o.valve.cut()
	clients.await(t, o.id, "drop")
	<-time.After(time.Until(o.session.Expiry.Add(time.Second)))
	o.valve.up.resume()
	if e := clients.await(t, o.id, "close"); e.Code != 4401 {
		t.Errorf("the room was left on %+v, want 4401", e)
	}
	o.open(o.id + " again")
	clients.await(t, o.id+" again", "error")
	<-time.After(settle)
	if back := clients.seen(o.id, "reconnect"); len(back) != 0 {
		t.Errorf("the client is back with an expired token: %+v", back)
	}
	allowed, refused, matchmaking := 0, 0, 0
	for len(o.asked) > 0 {
		switch d := <-o.asked; {
		case d.Upgrade && d.Allowed:
			allowed++
		case d.Upgrade:
			refused++
		case !d.Allowed && d.Method == "POST":
			matchmaking++
		}
	}
	t.Logf("FIGURE @colyseus/sdk with an expired token: %d socket let in, %d refused, %d matchmaking refused", allowed, refused, matchmaking)
	if allowed != 1 || refused != 1 || matchmaking != 1 {
		t.Errorf("want 1 let in, 1 refused, and 1 matchmaking refused")
	}
}

// several lets a player have many sockets.
func several(n int) func(*edge.SocketConfig) {
	return func(s *edge.SocketConfig) { s.PerSlot = n }
}
