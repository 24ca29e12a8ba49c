package book

import "github.com/legate-dao/legate/agent/impact"

// Wraps says where the further calls of a method lie; ok is false for a method that holds none. The method's whole
// signature must be that of the table of meanings: another function under the same selector wraps nothing.
func Wraps(m Method) (impact.Opens, bool) {
	meaning, ok := impact.Of(m.Signature)
	if !ok || meaning.Opens == nil {
		return impact.Opens{}, false
	}
	return *meaning.Opens, true
}
