package fork

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/core/vm"

	"github.com/legate-dao/legate/agent/dossier"
)

// reasonText puts a failure into words: a contract's own text where there is one, the selector of its error else.
func reasonText(err error, output []byte) dossier.Untrusted {
	if text, unpackErr := abi.UnpackRevert(output); unpackErr == nil {
		return dossier.Untrusted(cut(text))
	}
	if len(output) >= 4 {
		return dossier.Untrusted("error 0x" + hex.EncodeToString(output[:4]))
	}
	if err == nil {
		return ""
	}
	if errors.Is(err, vm.ErrExecutionReverted) {
		return "reverted without a reason"
	}
	return dossier.Untrusted(cut(err.Error()))
}

func cut(text string) string {
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
