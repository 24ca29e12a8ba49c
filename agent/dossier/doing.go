package dossier

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

var kindWords = map[gov.Kind]string{
	gov.KindTimelock: "changes the timelock", gov.KindGovernor: "changes the governor", gov.KindRole: "changes rights", gov.KindUpgrade: "replaces code",
	gov.KindMint: "mints tokens", gov.KindBurn: "burns tokens", gov.KindBridge: "acts on another chain", gov.KindListing: "lists a market",
	gov.KindParameter: "sets a parameter", gov.KindApproval: "lets others take tokens", gov.KindStream: "opens a stream", gov.KindTransfer: "sends tokens",
	gov.KindNative: "sends coins", gov.KindCall: "makes a known call", gov.KindUnknown: "makes a call that nobody can read",
}

// Doing says in words what a list of kinds amounts to, such as "sends coins and replaces code".
func Doing(kinds []gov.Kind) string {
	words := make([]string, 0, len(kinds))
	for _, k := range kinds {
		if w, ok := kindWords[k]; ok {
			words = append(words, w)
		}
	}
	switch len(words) {
	case 0:
		return "does nothing on chain"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
