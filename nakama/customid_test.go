package nakama

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/identity"
)

func TestCustomID(t *testing.T) {
	const uuid = "0b0c4a5e-1d2f-4a3b-8c9d-0123456789ab"
	one, two := []string{"players"}, []string{"players", "others"}
	for what, c := range map[string]struct {
		config  Config
		subject string
		itself  bool
	}{
		"a UUID":              {Config{CustomID: "subject", Realms: one}, uuid, true},
		"another subject":     {Config{CustomID: "subject", Realms: one}, "user_2abcdef", true},
		"two realms":          {Config{CustomID: "subject", Realms: two}, uuid, false},
		"too short":           {Config{CustomID: "subject", Realms: one}, "alice", false},
		"too long":            {Config{CustomID: "subject", Realms: one}, strings.Repeat("a", 129), false},
		"with a space":        {Config{CustomID: "subject", Realms: one}, "alice the first", false},
		"the UUID by choice":  {Config{CustomID: "player_id", Realms: one}, uuid, true},
		"the id by choice":    {Config{CustomID: "player_id", Realms: one}, "user_2abcdef", false},
		"nothing from before": {Config{CustomID: "player_id", Realms: two}, uuid, false},
	} {
		m := &module{config: c.config}
		got := m.customID(identity.Player{Realm: "players", Subject: c.subject})
		if (got == c.subject) != c.itself || (!c.itself && !isUUID(got)) {
			t.Errorf("%s: %q becomes %q", what, c.subject, got)
		}
	}
}
