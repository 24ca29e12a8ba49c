package gov

import (
	"bytes"
	"encoding/json"
)

// Maybe is a fact that may be missing. The zero value is missing: a fact nobody gathered is unknown,
// never zero and never false. In JSON a missing fact is null.
type Maybe[T any] struct {
	value T
	known bool
}

// Known is the fact v.
func Known[T any](v T) Maybe[T] { return Maybe[T]{value: v, known: true} }

// Get returns the value and whether it is known.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.known }

// IsKnown says whether the fact was had.
func (m Maybe[T]) IsKnown() bool { return m.known }

// Or returns the value, or otherwise when it is missing. For display; deciding code asks Get.
func (m Maybe[T]) Or(otherwise T) T {
	if m.known {
		return m.value
	}
	return otherwise
}

// MarshalJSON writes null for a missing fact.
func (m Maybe[T]) MarshalJSON() ([]byte, error) {
	if !m.known {
		return []byte("null"), nil
	}
	return json.Marshal(m.value)
}

// UnmarshalJSON reads null as missing.
func (m *Maybe[T]) UnmarshalJSON(b []byte) error {
	*m = Maybe[T]{}
	if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(b, &m.value); err != nil {
		return err
	}
	m.known = true
	return nil
}
