package redis

import (
	"errors"
	"testing"
)

// TestHealerPasses lets a server that was replaced acknowledge something during a pass: there must be another pass.
func TestHealerPasses(t *testing.T) {
	t.Parallel()
	var h healer
	step := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
	step("the first epoch starts a pass", h.saw("a"), false)
	step("the same epoch starts a pass", h.saw("a"), false)
	step("another epoch starts a pass", h.saw("b"), true)
	h.begin()
	step("a pass that runs is started again", h.saw("b"), false)
	step("a late answer of the old epoch starts a second pass at once", h.saw("a"), false)
	step("a pass with a late answer meanwhile is the last", h.note("b", 1, nil), false)
	h.begin()
	step("a failed pass is the last", h.note("", 0, errors.New("away")), false)
	h.begin()
	step("a whole pass is the last", h.note("b", 2, nil), true)
	step("the healed epoch starts a pass", h.saw("b"), false)
	step("a late answer after the pass starts one", h.saw("a"), true)
	if h.state.Reasserted != 3 || h.state.LastError != "" {
		t.Errorf("state %+v, want 3 written again and no error", h.state)
	}
}
