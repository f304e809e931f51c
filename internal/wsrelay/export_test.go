package wsrelay

// Settle does at once what is due by the loop's clock, as the loop does every 50 ms.
func (l *Loop) Settle() {
	for _, g := range l.groups {
		g.tick()
	}
}

// PingText is the payload of our pings.
const PingText = pingText

// BoundaryWait is how long a side may be in the middle of a frame when a socket ends.
const BoundaryWait = boundaryWait

// PartingWait bounds a close handshake of the two ends.
const PartingWait = partingWait
