package dossier

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// MaxSignature bounds the textual signature of an action, in bytes.
const MaxSignature = 1 << 10

// Action is what reaches the target: the selector of a textual signature goes in front.
func (a ActionDoc) Action() (gov.Action, error) {
	if len(a.Signature) > MaxSignature {
		return gov.Action{}, fmt.Errorf("signature of %d bytes is over the limit of %d", len(a.Signature), MaxSignature)
	}
	out := gov.Action{To: a.To, Value: a.Value, Calldata: a.Calldata}
	if a.Signature != "" {
		out.Signed = true
		out.Calldata = gov.CalldataOf(append(crypto.Keccak256([]byte(a.Signature))[:4], a.Calldata.Bytes()...))
	}
	return out, nil
}

// ReadActions reads a JSON list of actions, as `--actions FILE` takes it, and the signatures beside them.
func ReadActions(b []byte) ([]gov.Action, []Untrusted, error) {
	var docs []*struct {
		To *gov.Address `json:"to"` // one that is left out is not the zero address
		ActionDoc
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&docs); err != nil {
		return nil, nil, fmt.Errorf("read actions, a list of {to, value, signature, calldata}: %w", err)
	}
	if dec.More() {
		return nil, nil, errors.New("read actions: something follows the list")
	}
	actions, signatures := make([]gov.Action, len(docs)), make([]Untrusted, len(docs))
	for i, doc := range docs {
		if doc == nil || doc.To == nil {
			return nil, nil, fmt.Errorf(`read action %d: "to" is missing`, i)
		}
		doc.ActionDoc.To = *doc.To
		a, err := doc.Action()
		if err != nil {
			return nil, nil, fmt.Errorf("read action %d: %w", i, err)
		}
		actions[i], signatures[i] = a, doc.Signature
	}
	return actions, signatures, nil
}
