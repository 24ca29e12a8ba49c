package devchain

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

//go:embed artifacts/*.json
var artifactFiles embed.FS

// Compiled is one compiled contract of artifacts/.
type Compiled struct {
	Name       string          `json:"name"`
	SourceName string          `json:"sourceName"` // file of contracts/, a library's file, or npm:package/file
	Compiler   string          `json:"compiler"`
	License    string          `json:"license"`
	SourceHash string          `json:"sourceHash"` // see contracts/build.mjs
	RawABI     json.RawMessage `json:"abi"`
	Bytecode   hexutil.Bytes   `json:"bytecode"`         // what a deployment sends, before the constructor's arguments
	Deployed   hexutil.Bytes   `json:"deployedBytecode"` // what lies on the chain, immutables left zero; may be absent
	ABI        abi.ABI         `json:"-"`
}

var loadAll = sync.OnceValues(func() (map[string]*Compiled, error) {
	entries, err := artifactFiles.ReadDir("artifacts")
	if err != nil {
		return nil, fmt.Errorf("list embedded contracts: %w", err)
	}
	all := map[string]*Compiled{}
	for _, entry := range entries {
		c, err := parseArtifact(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read embedded contract %s: %w", entry.Name(), err)
		}
		all[c.Name] = c
	}
	return all, nil
})

func parseArtifact(file string) (*Compiled, error) {
	raw, err := artifactFiles.ReadFile("artifacts/" + file)
	if err != nil {
		return nil, err
	}
	c := &Compiled{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, err
	}
	if c.Name+".json" != file {
		return nil, fmt.Errorf("it names itself %q", c.Name)
	}
	if c.ABI, err = abi.JSON(strings.NewReader(string(c.RawABI))); err != nil {
		return nil, fmt.Errorf("abi: %w", err)
	}
	return c, nil
}

// Load returns the compiled contract of that name.
func Load(name string) (*Compiled, error) {
	all, err := loadAll()
	if err != nil {
		return nil, err
	}
	c := all[name]
	if c == nil {
		return nil, fmt.Errorf("no compiled contract is named %q", name)
	}
	return c, nil
}

// Artifact returns the ABI and the deployment bytecode of a compiled contract.
// It panics when there is none of that name: names are constants of the caller.
func Artifact(name string) (abi.ABI, []byte) {
	c, err := Load(name)
	if err != nil {
		panic("devchain: " + err.Error())
	}
	return c.ABI, slices.Clone(c.Bytecode)
}

// Names lists the compiled contracts, sorted.
func Names() ([]string, error) {
	all, err := loadAll()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}
