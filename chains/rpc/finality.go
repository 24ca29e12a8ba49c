package rpc

import (
	"fmt"
	"strconv"
)

// Finality says which block counts as final: a tag the node itself maintains, or a number of blocks behind the
// head. The zero value is Finalized, the strictest.
type Finality struct {
	tag    string
	behind uint64
}

// The finality tags.
var (
	Finalized = Finality{}
	Safe      = Finality{tag: "safe"}
	LatestTag = Finality{tag: "latest"}
)

// maxBehind bounds a configured distance: more is a slip of the pen (a block number in place of a distance).
const maxBehind = 1_000_000

// Behind is finality by distance: blocks below the head.
func Behind(blocks uint64) Finality { return Finality{tag: "behind", behind: blocks} }

// ParseFinality reads "finalized", "safe", "latest" or a number of blocks. The empty string is "finalized".
func ParseFinality(s string) (Finality, error) {
	switch s {
	case "", "finalized":
		return Finalized, nil
	case "safe":
		return Safe, nil
	case "latest":
		return LatestTag, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > maxBehind {
		return Finality{}, fmt.Errorf("finality %q: want finalized, safe, latest or a number of blocks up to %d", printable(s, 40), maxBehind)
	}
	return Behind(n), nil
}

// IsTag says whether the node decides (a tag) rather than a distance.
func (f Finality) IsTag() bool { return f.tag != "behind" }

// Blocks is the distance behind the head where IsTag is false, else 0.
func (f Finality) Blocks() uint64 { return f.behind }

// Weak says that the node gives no promise of finality: "latest" or a distance.
func (f Finality) Weak() bool { return f.tag == "latest" || f.tag == "behind" }

// String is the form ParseFinality reads.
func (f Finality) String() string {
	switch f.tag {
	case "":
		return "finalized"
	case "behind":
		return strconv.FormatUint(f.behind, 10)
	}
	return f.tag
}
