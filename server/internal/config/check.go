package config

import (
	"errors"
	"fmt"

	"github.com/sallyport-auth/sallyport/identity"
)

func (f *File) checkCallers() {
	for i, c := range f.Callers {
		path := fmt.Sprintf("callers[%d]", i)
		f.once(path+".id", c.ID, i, func(j int) string { return f.Callers[j].ID })
		if len(c.Secrets)+len(c.SecretHashes) == 0 {
			f.report(path, "has neither secrets nor secret_hashes: nobody could be this caller")
		}
		for j, s := range c.Secrets {
			f.strong(fmt.Sprintf("%s.secrets[%d]", path, j), s)
		}
		for j, hash := range c.SecretHashes {
			if hash != "" && !sha256Form.MatchString(hash) {
				f.report(fmt.Sprintf("%s.secret_hashes[%d]", path, j), "want a SHA-256 digest, 64 hexadecimal digits")
			}
		}
	}
}

func (f *File) checkPhoton() {
	p := f.Photon
	if p == nil {
		return
	}
	switch {
	case len(p.Secrets) == 0 && !p.InsecureNoSecret:
		f.report("photon", "secrets is missing: set the dashboard's secret (or insecure_no_secret: true)")
	case len(p.Secrets) > 0 && p.InsecureNoSecret:
		f.report("photon.insecure_no_secret", "is set besides secrets: leave one out")
	case p.SecretName == p.TokenName:
		f.report("photon.token_name", "is the same as secret_name")
	case p.UserID == "backend_user_id" && p.Tokens != "session":
		f.report("photon.user_id", "backend_user_id is known of session tokens alone; set tokens: session")
	case p.UserID == "subject" && len(f.Realms()) > 1:
		f.report("photon.user_id", "subject needs a single realm: players of two realms may have the same")
	}
	for i, s := range p.Secrets {
		if s != "" && !photonSecret.MatchString(s.reveal()) {
			f.report(fmt.Sprintf("photon.secrets[%d]", i), "want at least 16 characters of A–Z a–z 0–9 - . _ ~")
		}
	}
}

func (f *File) checkForward() {
	v := f.Verify
	if v == nil {
		return
	}
	if v.Tokens == "both" && f.Nakama != nil {
		f.report("verify.tokens", "both cannot be told apart where nakama is: its tokens name no issuer; set session or identity")
	}
	if v.Ticket != "" && v.Tokens == "identity" {
		f.report("verify.ticket", "stands for a session token; set tokens: session")
	}
	if v.Cookie != nil {
		f.checkOrigins("verify.cookie.origins", v.Cookie.Origins)
	}
}

func (f *File) checkWebhooks() {
	for i, w := range f.ClerkWebhooks {
		path := fmt.Sprintf("clerk_webhooks[%d]", i)
		if f.clerk(w.Issuer) == nil {
			if w.Issuer != "" {
				f.report(path+".issuer", "is not the issuer of any issuer of type clerk")
			}
			continue
		}
		if _, err := f.Webhook(i); err != nil {
			f.report(path, "%s", trim(err))
		}
	}
}

// clerk returns the Clerk instance with an iss, nil if there is none.
func (c *Config) clerk(issuer string) *Clerk {
	for _, i := range c.Issuers {
		if clerk, ok := i.Preset.(*Clerk); ok && clerk.Issuer == issuer {
			return clerk
		}
	}
	return nil
}

// Webhook makes the verifier of the webhooks of entry i of clerk_webhooks.
func (c *Config) Webhook(i int) (*identity.ClerkWebhook, error) {
	w := c.ClerkWebhooks[i]
	clerk := c.clerk(w.Issuer)
	if clerk == nil {
		return nil, errors.New("no issuer of type clerk has this issuer")
	}
	secrets := make([]string, len(w.Secrets))
	for j, s := range w.Secrets {
		secrets[j] = s.reveal()
	}
	return identity.NewClerkWebhook(identity.ClerkWebhookConfig{Realm: clerk.Realm, Issuer: w.Issuer, Secrets: secrets})
}
