package book

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/signer/fourbyte"

	"github.com/legate-dao/legate/agent/gov"
)

//go:embed selectors.csv
var extraSelectors string

// extra is selectors.csv by selector.
var extra = sync.OnceValue(func() map[gov.Selector][]string {
	out := map[gov.Selector][]string{}
	for line := range strings.Lines(extraSelectors) {
		selector, signature, ok := strings.Cut(strings.TrimSpace(line), " ")
		raw, err := hex.DecodeString(strings.TrimPrefix(selector, "0x"))
		if ok && err == nil && len(raw) == 4 {
			out[gov.Selector(raw)] = append(out[gov.Selector(raw)], signature)
		}
	}
	return out
})

// fourBytes is go-ethereum's copy of the 4byte directory. It is read when the first selector is looked up that no table
// of ours names, because it costs about 60 MB: a daemon whose DAO calls what is in the book never pays.
var fourBytes = sync.OnceValue(func() *fourbyte.Database {
	db, err := fourbyte.New()
	if err != nil {
		return nil
	}
	return db
})

// Candidates are signatures that public tables give for a selector. Anyone can register a name there and two functions
// can share a selector: they are for display, and no part of what decides.
func Candidates(s gov.Selector) []string {
	var out []string
	if m, ok := own[s]; ok {
		out = append(out, string(m.method.Signature))
	}
	for _, signature := range extra()[s] {
		if len(out) == 0 || out[0] != signature {
			out = append(out, signature)
		}
	}
	if len(out) > 0 {
		return out
	}
	if db := fourBytes(); db != nil {
		if signature, err := db.Selector(s[:]); err == nil && len(signature) <= maxSignature {
			out = append(out, signature)
		}
	}
	return out
}
