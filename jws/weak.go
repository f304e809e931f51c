package jws

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync"
)

const (
	minModulus = 2048
	maxModulus = 8192
)

// checkRSA refuses keys whose signatures can be forged or that make every verification slow.
func checkRSA(p *rsa.PublicKey) error {
	switch {
	case p == nil || p.N == nil || p.N.Sign() <= 0 || p.N.Bit(0) == 0:
		return errors.New("jws: an RSA modulus that is not odd and positive")
	case p.N.BitLen() < minModulus || p.N.BitLen() > maxModulus:
		return fmt.Errorf("jws: an RSA key of %d bits; want %d to %d", p.N.BitLen(), minModulus, maxModulus)
	case p.E < 3 || p.E%2 == 0 || p.E > math.MaxInt32:
		return errors.New("jws: an RSA exponent that is even, below 3 or above 2^31-1")
	case isROCA(p.N):
		return errors.New("jws: an RSA modulus of a faulty generator (ROCA, CVE-2017-15361), which can be factored")
	}
	return nil
}

// rocaMarks holds, for small primes, the remainders that a modulus of the faulty generator can have: the powers of
// 65537. A good modulus has them all by chance once in 10 million.
var rocaMarks = sync.OnceValue(func() map[uint64][]uint64 {
	marks := make(map[uint64][]uint64)
	for prime := uint64(3); prime <= 167; prime += 2 {
		if !big.NewInt(int64(prime)).ProbablyPrime(0) {
			continue
		}
		power := uint64(1)
		for !slices.Contains(marks[prime], power) {
			marks[prime] = append(marks[prime], power)
			power = power * 65537 % prime
		}
	}
	return marks
})

func isROCA(n *big.Int) bool {
	remainder := new(big.Int)
	for prime, powers := range rocaMarks() {
		remainder.Mod(n, new(big.Int).SetUint64(prime))
		if !slices.Contains(powers, remainder.Uint64()) {
			return false
		}
	}
	return true
}

// smallOrder are the encodings of the Ed25519 points of order 1, 2, 4 and 8 without their sign bit, canonical or not:
// under such a key one signature fits many messages. The first is also the key that somebody forgot to fill in.
var smallOrder = func() (points [][]byte) {
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		point, _ := hex.DecodeString(text)
		points = append(points, point)
	}
	return points
}()

func checkEdDSA(p ed25519.PublicKey) error {
	if len(p) != ed25519.PublicKeySize {
		return fmt.Errorf("jws: an Ed25519 key of %d bytes; want %d", len(p), ed25519.PublicKeySize)
	}
	unsigned := bytes.Clone(p)
	unsigned[31] &= 0x7f
	for _, point := range smallOrder {
		if bytes.Equal(unsigned, point) {
			return errors.New("jws: an Ed25519 key of small order")
		}
	}
	return nil
}
