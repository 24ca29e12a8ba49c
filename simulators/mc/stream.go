package mc

import "math/bits"

// Stream is one sequence of random numbers, xoshiro256++ of Blackman and Vigna. The zero value is not usable:
// [NewStream] makes one. It is not safe for several goroutines, and need not be: every block has its own.
type Stream struct{ a, b, c, d uint64 }

// NewStream is the stream of one block of one model under one seed. Neighbouring keys give unrelated streams: the
// key goes through a 64-bit mixer once for every part and once for every word of state.
func NewStream(seed, model, block uint64) Stream {
	k := mix(seed ^ 0x6c65676174652f31)
	k = mix(k ^ model)
	k = mix(k ^ block)
	var s Stream
	for _, w := range []*uint64{&s.a, &s.b, &s.c, &s.d} {
		k += 0x9e3779b97f4a7c15
		*w = mix(k)
	}
	return s
}

// mix is a bijection of 64 bits in which every input bit changes half of the output bits (Stafford's variant 13).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// HashName makes the key of a model's name: FNV-1a, which no part of a result depends on beyond being constant.
func HashName(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// Uint64 is 64 random bits.
func (s *Stream) Uint64() uint64 {
	r := bits.RotateLeft64(s.a+s.d, 23) + s.a
	t := s.b << 17
	s.c ^= s.a
	s.d ^= s.b
	s.b ^= s.c
	s.a ^= s.d
	s.c ^= t
	s.d = bits.RotateLeft64(s.d, 45)
	return r
}

// Float64 is uniform on (0,1), neither end included: its logarithm is finite.
func (s *Stream) Float64() float64 { return unit(s.Uint64()) }

func unit(r uint64) float64 { return (float64(r>>12) + 0.5) * 0x1p-52 }

// Bits fills out with random bits. The state stays in registers, which is four times as fast as calling Uint64.
func (s *Stream) Bits(out []uint64) {
	a, b, c, d := s.a, s.b, s.c, s.d
	for i := range out {
		out[i] = bits.RotateLeft64(a+d, 23) + a
		t := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= t
		d = bits.RotateLeft64(d, 45)
	}
	s.a, s.b, s.c, s.d = a, b, c, d
}
