package mc

import "math/bits"

// Ballot is one voter under given circumstances: thresholds for one 32-bit uniform number, each at least the one
// before, and the voter's weight. Below One the first choice is made, below Two the second, below Three the third;
// else the voter stays away.
type Ballot struct{ One, Two, Three, Weight uint32 }

// Threshold is the number below which a 32-bit uniform lies with probability p.
func Threshold(p float64) uint32 {
	switch {
	case !(p > 0):
		return 0
	case p >= 1:
		return 1<<32 - 1
	}
	return uint32(p * (1<<32 - 1))
}

// Ballots lets every voter of an even number choose once and adds up: the weight of first choices, of first and second
// ones, and of all. One random word serves two voters; no branch depends on chance.
func (s *Stream) Ballots(voters []Ballot) (one, two, three uint64) {
	a, b, c, d := s.a, s.b, s.c, s.d
	for len(voters) >= 2 {
		v := (*[2]Ballot)(voters)
		voters = voters[2:]
		r := bits.RotateLeft64(a+d, 23) + a
		t := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= t
		d = bits.RotateLeft64(d, 45)
		u, w := int64(uint32(r)), int64(v[0].Weight)
		one += uint64((u - int64(v[0].One)) >> 63 & w)
		two += uint64((u - int64(v[0].Two)) >> 63 & w)
		three += uint64((u - int64(v[0].Three)) >> 63 & w)
		u, w = int64(r>>32), int64(v[1].Weight)
		one += uint64((u - int64(v[1].One)) >> 63 & w)
		two += uint64((u - int64(v[1].Two)) >> 63 & w)
		three += uint64((u - int64(v[1].Three)) >> 63 & w)
	}
	s.a, s.b, s.c, s.d = a, b, c, d
	return one, two, three
}
