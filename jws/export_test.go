package jws

// HoldSlot takes one of a verifier's slots, as a signature does that takes long, and returns how to give it back.
func HoldSlot(v *Verifier) (release func()) {
	v.slots <- struct{}{}
	return func() { <-v.slots }
}
