package main

import (
	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
)

// briefConfig is what the screens say of texts, for whoever writes briefs.
func briefConfig() brief.Config {
	return brief.Config{
		Suspicious: func(sentence dossier.Untrusted) bool {
			return len(screen.Flags(dossier.Text{Description: sentence})) > 0
		},
		Claims: func(text dossier.Text, f gov.Facts, shown dossier.Shown) ([]dossier.Claim, gov.Maybe[bool]) {
			m := screen.Claims(text, f, shown)
			return m.Claims, m.Contradicts
		},
	}
}
