package session_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sallyport-auth/sallyport/jws"
	"github.com/sallyport-auth/sallyport/session"
)

func (w *world) ticketConfig() session.TicketConfig {
	return session.TicketConfig{Store: w.store, Verifier: w.verifier, Now: w.clock.Now}
}

func (w *world) office() *session.TicketOffice {
	return must(session.NewTicketOffice(w.ticketConfig()))
}

func TestTicketStandsForAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, g := w.office(), w.signIn(t)
	ticket, expires, err := office.Issue(t.Context(), g.AccessToken, session.Binding{})
	if err != nil || !expires.Equal(w.clock.Now().Add(30*time.Second)) {
		t.Fatalf("expires %s, %v", expires, err)
	}
	if len(ticket) != 4+43 || !strings.HasPrefix(ticket, "spt_") {
		t.Errorf("ticket %q", ticket)
	}
	w.clock.Advance(30*time.Second - time.Millisecond)
	s, token, err := office.Redeem(t.Context(), ticket, session.Binding{Origin: "https://any.example"})
	if err != nil || token != g.AccessToken || s.ID != g.Session.ID {
		t.Fatalf("got %v, %v", s, err)
	}
	_, _, err = office.Redeem(t.Context(), ticket, session.Binding{})
	wantReason(t, err, jws.Replayed)
}

func TestTicketIsForOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := w.office()
	ticket, _, err := office.Issue(t.Context(), w.signIn(t).AccessToken, session.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := atOnce(50, func() jws.Reason {
		_, _, err := office.Redeem(context.Background(), ticket, session.Binding{})
		return jws.ReasonOf(err)
	})
	slices.Sort(reasons)
	if reasons[0] != "" || reasons[1] != jws.Replayed || reasons[49] != jws.Replayed {
		t.Errorf("reasons %q: want one redemption and 49 replays", reasons)
	}
}

func TestTicketBinding(t *testing.T) {
	t.Parallel()
	all := session.Binding{Origin: "https://game.example", Address: "192.0.2.7", Audience: "arena"}
	for name, c := range map[string]struct {
		issued, shown session.Binding
		reason        jws.Reason
		claim         string
	}{
		"all right":       {issued: all, shown: all},
		"nothing bound":   {shown: all},
		"only what is":    {issued: session.Binding{Audience: "arena"}, shown: all},
		"other origin":    {issued: all, shown: session.Binding{Origin: "https://evil.example", Address: all.Address, Audience: all.Audience}, reason: jws.WrongClaim, claim: "origin"},
		"other address":   {issued: all, shown: session.Binding{Origin: all.Origin, Address: "192.0.2.8", Audience: all.Audience}, reason: jws.WrongClaim, claim: "address"},
		"other audience":  {issued: all, shown: session.Binding{Origin: all.Origin, Address: all.Address, Audience: "lobby"}, reason: jws.WrongAudience, claim: "audience"},
		"nothing is said": {issued: session.Binding{Origin: "https://game.example"}, reason: jws.WrongClaim, claim: "origin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			office := w.office()
			ticket, _, err := office.Issue(t.Context(), w.signIn(t).AccessToken, c.issued)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = office.Redeem(t.Context(), ticket, c.shown)
			var r *jws.Refusal
			if errors.As(err, &r); jws.ReasonOf(err) != c.reason || (r != nil && r.Claim != c.claim) {
				t.Fatalf("got %v, want reason %q", err, c.reason)
			}
			_, _, err = office.Redeem(t.Context(), ticket, c.issued)
			wantReason(t, err, jws.Replayed) // also after a refusal
		})
	}
}

func TestTicketExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keeps := &keepingTickets{}
	config := w.ticketConfig()
	config.Store = keeps
	office, g := must(session.NewTicketOffice(config)), w.signIn(t)
	ticket, _, err := office.Issue(t.Context(), g.AccessToken, session.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(30 * time.Second)
	_, _, err = office.Redeem(t.Context(), ticket, session.Binding{})
	wantReason(t, err, jws.Expired) // whatever the store's clock says
	w.clock.Advance(g.ExpiresIn - 40*time.Second)
	if _, expires, err := office.Issue(t.Context(), g.AccessToken, session.Binding{}); err != nil || !expires.Equal(g.Session.Expiry) {
		t.Errorf("the ticket ends at %s (%v), the token at %s", expires, err, g.Session.Expiry)
	}
}

// keepingTickets is a store that forgets nothing and shows what it was given.
type keepingTickets struct {
	mu      sync.Mutex
	digests [][32]byte
	sealed  [][]byte
}

func (k *keepingTickets) Put(_ context.Context, digest [32]byte, sealed []byte, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.digests, k.sealed = append(k.digests, digest), append(k.sealed, sealed)
	return nil
}

func (k *keepingTickets) Take(_ context.Context, digest [32]byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.Index(k.digests, digest); i >= 0 {
		return k.sealed[i], nil
	}
	return nil, session.ErrNotFound
}

// TestTicketStoreLearnsNothing reads the store as a thief would.
func TestTicketStoreLearnsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keeps := &keepingTickets{}
	config := w.ticketConfig()
	config.Store = keeps
	office, g := must(session.NewTicketOffice(config)), w.signIn(t)
	var tickets []string
	for range 2 {
		ticket, _, err := office.Issue(t.Context(), g.AccessToken, session.Binding{Address: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
	for n, sealed := range keeps.sealed {
		for _, secret := range []string{tickets[n], tickets[n][4:], g.AccessToken[:40], "192.0.2.7"} {
			if bytes.Contains(sealed, []byte(secret)) || bytes.Contains(keeps.digests[n][:], []byte(secret)) {
				t.Errorf("the store holds %q", secret)
			}
		}
	}
	keeps.sealed[0], keeps.sealed[1] = keeps.sealed[1], keeps.sealed[0]
	_, _, err := office.Redeem(t.Context(), tickets[0], session.Binding{Address: "192.0.2.7"})
	wantReason(t, err, jws.BadSignature)
	keeps.sealed[0] = nil
	_, _, err = office.Redeem(t.Context(), tickets[0], session.Binding{Address: "192.0.2.7"})
	wantReason(t, err, jws.BadSignature)
}

func TestTicketOfARevokedSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, g := w.office(), w.signIn(t)
	ticket, _, err := office.Issue(t.Context(), g.AccessToken, session.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.RevokeSession(t.Context(), g.Session, "logout"); err != nil {
		t.Fatal(err)
	}
	_, _, err = office.Redeem(t.Context(), ticket, session.Binding{})
	wantReason(t, err, jws.Revoked)
	_, _, err = office.Issue(t.Context(), g.AccessToken, session.Binding{})
	wantReason(t, err, jws.Revoked)
}

func TestTicketStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office, g := w.office(), w.signIn(t)
	ticket, _, err := office.Issue(t.Context(), g.AccessToken, session.Binding{})
	if err != nil {
		t.Fatal(err)
	}
	w.store.away.Store(true)
	_, _, err = office.Issue(t.Context(), g.AccessToken, session.Binding{})
	wantReason(t, err, jws.Unavailable)
	_, _, err = office.Redeem(t.Context(), ticket, session.Binding{})
	wantReason(t, err, jws.Unavailable)
	w.store.away.Store(false)
	if _, _, err = office.Redeem(t.Context(), ticket, session.Binding{}); err != nil {
		t.Errorf("the ticket was used up by a failure: %v", err)
	}
}

func TestTicketConfigIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, edit := range map[string]func(*session.TicketConfig){
		"Store is missing":    func(c *session.TicketConfig) { c.Store = nil },
		"Verifier is missing": func(c *session.TicketConfig) { c.Verifier = nil },
		"TTL is 1h0m0s":       func(c *session.TicketConfig) { c.TTL = time.Hour },
		"TTL is -1s":          func(c *session.TicketConfig) { c.TTL = -time.Second },
	} {
		config := w.ticketConfig()
		edit(&config)
		_, err := session.NewTicketOffice(config)
		wantErrorText(t, err, text)
	}
	config := w.ticketConfig()
	config.Rand = iotest.ErrReader(errors.New("no entropy"))
	_, _, err := must(session.NewTicketOffice(config)).Issue(t.Context(), w.signIn(t).AccessToken, session.Binding{})
	wantReason(t, err, jws.Unavailable)
}

func FuzzTicket(f *testing.F) {
	w := newWorld(f)
	keeps := &keepingTickets{}
	config := w.ticketConfig()
	config.Store, config.Rand = keeps, strings.NewReader(strings.Repeat("t", 32))
	office := must(session.NewTicketOffice(config))
	token := must(w.issuer.Exchange(f.Context(), session.ExchangeRequest{SubjectToken: "alice"})).AccessToken
	good, _, err := office.Issue(f.Context(), token, session.Binding{})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good, good + "=", good[:len(good)-1], good[4:], "spt_", "SPT_" + good[4:], good[:20] + "\n" + good[20:], "spr_" + good[4:],
		good[:len(good)-1] + "1", "spt_" + strings.Repeat("A", 43), good + good, "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ticket string) {
		_, got, err := office.Redeem(context.Background(), ticket, session.Binding{})
		reason := jws.ReasonOf(err)
		switch {
		case ticket == good && (err != nil || got != token):
			t.Errorf("the ticket: %v", err)
		case ticket != good && reason != jws.Malformed && reason != jws.Replayed:
			t.Errorf("ticket %q: %v", ticket, err)
		case ticket != good && len(ticket) > 8 && strings.Contains(err.Error(), ticket):
			t.Error("the refusal shows the ticket")
		}
	})
}
