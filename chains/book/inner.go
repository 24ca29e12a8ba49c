package book

import (
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// Wraps says where the further calls of a method lie; ok is false for a method that holds none. The method's whole
// signature must be that of the table of meanings: another function under the same selector wraps nothing. said is what
// the operator's book says of the method, the zero value where it says nothing.
func Wraps(m Method, said impact.Booked) (impact.Opens, bool) {
	if said.Opens != nil {
		return *said.Opens, true
	}
	meaning, ok := impact.Of(m.Signature)
	if !ok || meaning.Opens == nil {
		return impact.Opens{}, false
	}
	return *meaning.Opens, true
}

// KindOf is the kind of a call by the first thing that the operator's book says of its function; empty where that says
// nothing.
func KindOf(said impact.Booked) gov.Kind {
	if len(said.Meaning.Says) == 0 {
		return ""
	}
	return kindOfImpact(said.Meaning.Says[0].Kind)
}
