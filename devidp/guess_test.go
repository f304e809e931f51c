package devidp_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/devidp"
	"github.com/sallyport-auth/sallyport/srp"
)

// TestUnknownUserLooksKnown walks through a sign-in with a wrong password and one of an unknown user, side by side and
// up to the lock-out, and demands that nothing in the answers tells them apart.
func TestUnknownUserLooksKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		mode           devidp.SignIn
		known, unknown string
	}{
		{"names", devidp.ByUsername, "alice", "ecila"},
		{"aliases by name", devidp.ByUsernameOrEmail, "alice", "ecila"},
		{"aliases by address", devidp.ByUsernameOrEmail, "alice@example.com", "ecila@example.com"},
		{"addresses", devidp.ByEmail, "alice@example.com", "ecila@example.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, func(cfg *devidp.Config) { inMode(cfg, c.mode) })
			for attempt := range 7 {
				known, unknown := shape(p, c.known), shape(p, c.unknown)
				if known != unknown {
					t.Fatalf("attempt %d: known and unknown differ:\n%s\n%s", attempt, known, unknown)
				}
			}
			p.pass(time.Hour)
			p.signedIn(c.known, password)
		})
	}
}

func inMode(cfg *devidp.Config, mode devidp.SignIn) {
	cfg.SignIn = mode
	if mode == devidp.ByEmail {
		cfg.Users[0].Username = cfg.Users[0].Email
	}
}

// shape tries a wrong password twice over one challenge and describes all that an attacker sees.
func shape(p *pool, name string) string {
	client, err := srp.NewClient(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	given := p.challenge(client, "game", name)
	again := p.challenge(client, "game", name)
	if given.Type != "" {
		return given.Type + " " + given.Message
	}
	parameters := given.ChallengeParameters
	lines := []string{strings.Join(slices.Sorted(maps.Keys(parameters)), ",")}
	if parameters["SALT"] != again.ChallengeParameters["SALT"] || parameters["USER_ID_FOR_SRP"] != again.ChallengeParameters["USER_ID_FOR_SRP"] {
		lines = append(lines, "another challenge each time")
	}
	if parameters["SRP_B"] == again.ChallengeParameters["SRP_B"] {
		lines = append(lines, "the same B each time")
	}
	// The user id is the typed name or a UUID.
	id := strings.ReplaceAll(parameters["USER_ID_FOR_SRP"], name, "NAME")
	if len(id) == 36 && id[14] == '4' && strings.Contains("89ab", id[19:20]) {
		id = "UUID"
	}
	// The salt's leading zeros are dropped, which also shortens the block that holds it.
	salt := len(parameters["SALT"])
	block := len(parameters["SECRET_BLOCK"]) / 4 * 3
	if salt < 32 || block < 64 {
		salt, block = 32, block+32-salt
	}
	lines = append(lines, id, strings.Repeat("s", salt), strings.Repeat("b", (block+8)/16))
	proof := p.proof(client, given, "Wrong-1-password")
	for range 2 {
		out := p.call("RespondToAuthChallenge", proof)
		lines = append(lines, out.Type, out.Message)
	}
	return strings.Join(lines, "\n")
}

func TestUnknownUserElsewhere(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(cfg *devidp.Config) { inMode(cfg, devidp.ByUsernameOrEmail) })
	nobody := m{"ClientId": "game", "Username": "nobody"}
	for _, operation := range []string{"ForgotPassword", "ResendConfirmationCode"} {
		one, two := p.must(operation, nobody), p.must(operation, nobody)
		if one.CodeDeliveryDetails == nil || one.Body != two.Body || len(one.CodeDeliveryDetails.Destination) != len("a***@e***") {
			t.Errorf("%s of an unknown user answers %s, then %s", operation, one.Body, two.Body)
		}
	}
	by := p.must("ForgotPassword", m{"ClientId": "game", "Username": "nobody@example.com"})
	if by.CodeDeliveryDetails.Destination != "n***@e***" {
		t.Errorf("an unknown address is shown as %s", by.CodeDeliveryDetails.Destination)
	}
	p.refused("ConfirmSignUp", m{"ClientId": "game", "Username": "nobody", "ConfirmationCode": "123456"}, "CodeMismatch", "")
	p.refused("ConfirmForgotPassword", m{
		"ClientId": "game", "Username": "nobody", "ConfirmationCode": "123456", "Password": newPassword,
	}, "CodeMismatch", "")
	if codes := p.Codes("nobody"); len(codes) != 0 {
		t.Errorf("codes wait for nobody: %v", codes)
	}
}

// TestLockout follows Cognito's published rule: 2^(n-5) seconds after the nth failure, at most 15 minutes.
func TestLockout(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	guess := func(want string) {
		t.Helper()
		if out := p.signIn("alice", "Wrong-1-password"); out.Message != want {
			t.Fatalf("a guess gets %q, want %q", out.Message, want)
		}
	}
	const incorrect, exceeded = "Incorrect username or password.", "Password attempts exceeded"
	for range 5 {
		guess(incorrect)
	}
	for _, lock := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		guess(exceeded)
		guess(exceeded) // does not count
		if out := p.signIn("alice", password); out.Message != exceeded {
			t.Fatalf("the right password gets %q while locked out", out.Message)
		}
		if salt := p.challengeOf("alice"); salt != "" {
			t.Fatal("a locked-out user gets a challenge")
		}
		p.pass(lock*time.Second - time.Millisecond)
		guess(exceeded)
		p.pass(time.Millisecond)
		guess(incorrect)
	}
	p.pass(900 * time.Second)
	p.signedIn("alice", password)
	for range 5 {
		guess(incorrect) // a success starts afresh
	}
	p.pass(time.Second + 15*time.Minute)
	for range 5 {
		guess(incorrect) // and so does a quarter of an hour without an attempt
	}
	guess(exceeded)
}

// TestParallelGuesses opens many challenges first and answers them at once: the lock-out must count them all the same.
func TestParallelGuesses(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	const guesses = 12
	proofs := make([]m, guesses)
	for i := range proofs {
		client, err := srp.NewClient(nil)
		if err != nil {
			t.Fatal(err)
		}
		proofs[i] = p.proof(client, p.challenge(client, "game", "alice"), "Wrong-1-password")
	}
	answers := make([]string, guesses)
	var all sync.WaitGroup
	for i := range proofs {
		all.Go(func() { answers[i] = p.call("RespondToAuthChallenge", proofs[i]).Message })
	}
	all.Wait()
	slices.Sort(answers)
	if counts := slices.Index(answers, "Password attempts exceeded"); counts != 5 {
		t.Errorf("%d guesses were judged before the lock-out, want 5: %q", counts, answers)
	}
}

func TestCodesLockOut(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	p.must("ForgotPassword", m{"ClientId": "game", "Username": "alice"})
	code := p.code("alice")
	for _, name := range []string{"alice", "nobody"} {
		in := m{"ClientId": "game", "Username": name, "ConfirmationCode": wrong(code), "Password": newPassword}
		for range 5 {
			p.refused("ConfirmForgotPassword", in, "CodeMismatch", "")
		}
		in["ConfirmationCode"] = code
		p.refused("ConfirmForgotPassword", in, "LimitExceeded", "Attempt limit exceeded, please try after some time.")
	}
	access := p.signedIn("alice", password).AuthenticationResult.AccessToken
	change := m{"AccessToken": access, "PreviousPassword": "Wrong-1-password", "ProposedPassword": newPassword}
	for range 5 {
		p.refused("ChangePassword", change, "NotAuthorized", "")
	}
	p.refused("ChangePassword", change, "LimitExceeded", "")
}

func TestSecretBlockWorksOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	client, err := srp.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	proof := p.proof(client, p.challenge(client, "game", "alice"), password)
	const tries = 8
	tokens := make(chan bool, tries)
	var all sync.WaitGroup
	for range tries {
		all.Go(func() { tokens <- p.call("RespondToAuthChallenge", proof).AuthenticationResult != nil })
	}
	all.Wait()
	close(tokens)
	signedIn := 0
	for ok := range tokens {
		if ok {
			signedIn++
		}
	}
	if signedIn != 1 {
		t.Errorf("one challenge was answered %d times, want once", signedIn)
	}
}

func TestSecretBlockRefusals(t *testing.T) {
	t.Parallel()
	responses := func(proof m) m { return proof["ChallengeResponses"].(m) }
	cases := map[string]func(p *pool, proof m){
		"expired":      func(p *pool, _ m) { p.pass(3 * time.Minute) },
		"other client": func(_ *pool, proof m) { proof["ClientId"] = "other" },
		"other user":   func(_ *pool, proof m) { responses(proof)["USERNAME"] = "bob" },
		"tampered": func(_ *pool, proof m) {
			block := responses(proof)["PASSWORD_CLAIM_SECRET_BLOCK"].(string)
			responses(proof)["PASSWORD_CLAIM_SECRET_BLOCK"] = "AAAA" + block[4:]
		},
		"short":     func(_ *pool, proof m) { responses(proof)["PASSWORD_CLAIM_SECRET_BLOCK"] = "AAAA" },
		"no base64": func(_ *pool, proof m) { responses(proof)["PASSWORD_CLAIM_SECRET_BLOCK"] = "?" },
		"signature": func(_ *pool, proof m) { responses(proof)["PASSWORD_CLAIM_SIGNATURE"] = "AAAA" },
		"password changed since": func(p *pool, _ m) {
			p.must("ForgotPassword", m{"ClientId": "game", "Username": "alice"})
			p.must("ConfirmForgotPassword", m{
				"ClientId": "game", "Username": "alice", "ConfirmationCode": p.code("alice"), "Password": newPassword,
			})
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, func(c *devidp.Config) { c.Clients = append(c.Clients, devidp.Client{ID: "other"}) })
			client, err := srp.NewClient(nil)
			if err != nil {
				t.Fatal(err)
			}
			proof := p.proof(client, p.challenge(client, "game", "alice"), password)
			change(p, proof)
			p.refused("RespondToAuthChallenge", proof, "NotAuthorized", "Incorrect username or password.")
		})
	}
}

// TestTimestamp: a time of another form is named, and one that is spelled in another way is judged as the server spells
// it, as a real pool was seen to do.
func TestTimestamp(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	client, err := srp.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	proof := p.proof(client, p.challenge(client, "game", "alice"), password)
	responses := proof["ChallengeResponses"].(m)
	good := responses["TIMESTAMP"].(string)
	for _, bad := range []string{"2026-11-01T12:00:00Z", "So Nov 1 12:00:00 UTC 2026", strings.Replace(good, ":00 ", ":60 ", 1)} {
		responses["TIMESTAMP"] = bad
		p.refused("RespondToAuthChallenge", proof, "InvalidParameter", "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	responses["TIMESTAMP"] = strings.Replace(good, "Nov 1 ", "Nov 01 ", 1)
	p.must("RespondToAuthChallenge", proof)
}
