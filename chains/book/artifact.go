package book

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// abiOfArtifact takes the abi out of a compiler's artifact; a bare list stays as it is.
func abiOfArtifact(text []byte) ([]byte, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil, fmt.Errorf("the ABI is empty")
	}
	if text[0] == '[' {
		return text, nil
	}
	var artifact struct {
		ABI json.RawMessage `json:"abi"`
	}
	if err := json.Unmarshal(text, &artifact); err != nil {
		return nil, fmt.Errorf("read the JSON ABI: %w", err)
	}
	if len(artifact.ABI) == 0 {
		return nil, fmt.Errorf("neither a list nor an object with a key abi")
	}
	return artifact.ABI, nil
}
