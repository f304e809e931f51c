package edge

import (
	"cmp"
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// handshakes limits how fast and how many upgrades come from one address. Its memory is bounded: the address that was seen the
// longest ago is forgotten, which gives nobody more than a burst.
type handshakes struct {
	limit HandshakeLimit

	mu    sync.Mutex
	by    map[netip.Prefix]*list.Element
	order list.List // of *visitor, the latest first
}

type visitor struct {
	address netip.Prefix
	tokens  float64
	at      time.Time
	open    int
}

func newHandshakes(l HandshakeLimit) *handshakes {
	l.Rate = cmp.Or(l.Rate, 10)
	l.Burst = cmp.Or(l.Burst, 50)
	l.Concurrent = cmp.Or(l.Concurrent, 50)
	l.Addresses = cmp.Or(l.Addresses, 16<<10)
	return &handshakes{limit: l, by: make(map[netip.Prefix]*list.Element)}
}

// site is what counts as one address: who has an IPv6 /64 has 2^64 addresses.
func site(address netip.Addr) netip.Prefix {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits)
	return prefix
}

// begin takes a handshake in, or refuses it. Call end when it is over.
func (h *handshakes) begin(address netip.Addr, now time.Time) bool {
	if h.limit.Rate < 0 {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.visit(site(address), now)
	v.tokens = min(float64(h.limit.Burst), v.tokens+now.Sub(v.at).Seconds()*h.limit.Rate)
	v.at = now
	if v.tokens < 1 || v.open >= h.limit.Concurrent {
		return false
	}
	v.tokens--
	v.open++
	return true
}

func (h *handshakes) end(address netip.Addr) {
	if h.limit.Rate < 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.by[site(address)]; e != nil {
		v := e.Value.(*visitor)
		v.open = max(0, v.open-1)
	}
}

func (h *handshakes) visit(address netip.Prefix, now time.Time) *visitor {
	if e := h.by[address]; e != nil {
		h.order.MoveToFront(e)
		return e.Value.(*visitor)
	}
	for h.order.Len() >= h.limit.Addresses {
		oldest := h.order.Back()
		h.order.Remove(oldest)
		delete(h.by, oldest.Value.(*visitor).address)
	}
	v := &visitor{address: address, tokens: float64(h.limit.Burst), at: now}
	h.by[address] = h.order.PushFront(v)
	return v
}
