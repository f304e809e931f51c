package jws

import "context"

// HoldSlot takes one of a verifier's slots, as a signature does that takes long, and returns how to give it back.
func HoldSlot(v *Verifier) (release func()) {
	if err := v.slots.enter(context.Background()); err != nil {
		panic(err)
	}
	return v.slots.leave
}
