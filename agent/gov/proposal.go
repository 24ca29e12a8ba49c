package gov

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
)

// Calldata is opaque bytes for hash, decoder and fork. A stranger chose them, and they may spell
// text: the sinks are [Calldata.Bytes] (decoder, fork, content hash), [Calldata.Hash] and the JSON form (hex).
type Calldata struct{ raw string }

// CalldataOf copies b.
func CalldataOf(b []byte) Calldata { return Calldata{string(b)} }

// Bytes returns a copy.
func (c Calldata) Bytes() []byte { return []byte(c.raw) }

// Len is the number of bytes.
func (c Calldata) Len() int { return len(c.raw) }

// Hash is keccak256 of the bytes.
func (c Calldata) Hash() Hash { return crypto.Keccak256Hash([]byte(c.raw)) }

// Selector returns the first four bytes; ok is false when there are fewer.
func (c Calldata) Selector() (s Selector, ok bool) {
	if len(c.raw) < 4 {
		return s, false
	}
	copy(s[:], c.raw)
	return s, true
}

// MarshalText writes 0x hex.
func (c Calldata) MarshalText() ([]byte, error) {
	return []byte("0x" + hex.EncodeToString([]byte(c.raw))), nil
}

// UnmarshalText reads 0x hex.
func (c *Calldata) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return fmt.Errorf("calldata is not 0x and pairs of hex digits")
	}
	c.raw = string(raw)
	return nil
}

// Selector is the first four bytes of a call's data; empty text for a call without data.
type Selector [4]byte

// String is 0x and eight hex digits.
func (s Selector) String() string { return "0x" + hex.EncodeToString(s[:]) }

// Action is one call that a proposal asks the DAO to make. Calldata is what reaches the target: where
// the governor keeps a textual signature beside the arguments (Alpha, Bravo) its selector is already in front.
type Action struct {
	To       Address  `json:"to"`
	Value    Amount   `json:"value"`
	Calldata Calldata `json:"calldata"`
	// Signed says that the chain stored a signature string and bare arguments; execution needs it again.
	Signed bool `json:"signed,omitempty"`
}

// Proposal is what a governor was asked to decide, without a word of its text.
type Proposal struct {
	ID       ProposalID `json:"id"`
	Name     Label      `json:"name"` // the operator's name of the governor
	Flavour  Flavour    `json:"flavour"`
	Proposer Address    `json:"proposer"`
	Created  Block      `json:"created"`
	Clock    Clock      `json:"clock"`
	Starts   Clocks     `json:"starts"` // in the governor's clock: the snapshot; voting is open after it
	Ends     Clocks     `json:"ends"`   // in the governor's clock: the last moment at which a vote counts
	EndsAt   UnixTime   `json:"ends_at"`
	State    State      `json:"state"`
	Actions  []Action   `json:"actions"`
	// ContentHash is keccak256 of abi.encode(address[] targets, uint256[] values, bytes[] calldatas, bytes32
	// descriptionHash), on OpenZeppelin governors the proposal's id.
	ContentHash     Hash `json:"content_hash"`
	DescriptionHash Hash `json:"description_hash"`
	// Draft says that the actions are not on any governor yet: no lifecycle, never For.
	Draft bool `json:"draft,omitempty"`
	// TooLarge says that the proposal has more actions, text or signature than is read: a content fact. There is no For
	// on it by any rule; a rule may be Against it, and the holder may answer. Its actions are left out where they are
	// more than is kept; the content hash is that of the whole.
	TooLarge bool `json:"too_large,omitempty"`
}

// Clocks is a point or a span in a governor's own clock: blocks or seconds. A decimal string in JSON.
type Clocks uint64

// MarshalText writes the decimal form.
func (c Clocks) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d", uint64(c)), nil }

// UnmarshalText reads the decimal form.
func (c *Clocks) UnmarshalText(b []byte) error {
	a, err := ParseAmount(string(b))
	if err == nil && !a.n.IsUint64() {
		err = fmt.Errorf("%s is above 2^64", a)
	}
	*c = Clocks(a.n.Uint64())
	return err
}

// UnixTime is seconds since 1970 of chain time; RFC 3339 UTC in JSON, null when 0.
type UnixTime int64

// Time is the same moment, in UTC.
func (t UnixTime) Time() time.Time { return time.Unix(int64(t), 0).UTC() }

// String is RFC 3339, or "-" for 0.
func (t UnixTime) String() string {
	if t == 0 {
		return "-"
	}
	return t.Time().Format(time.RFC3339)
}

// MarshalJSON writes RFC 3339 or null.
func (t UnixTime) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(t.Time().Format(time.RFC3339))
}

// UnmarshalJSON reads RFC 3339 or null.
func (t *UnixTime) UnmarshalJSON(b []byte) error {
	var at *time.Time
	if err := json.Unmarshal(b, &at); err != nil {
		return err
	}
	*t = 0
	if at != nil {
		*t = UnixTime(at.Unix())
	}
	return nil
}

// Block is one block by number, hash and time.
type Block struct {
	Number uint64   `json:"block"`
	Hash   Hash     `json:"hash"`
	Time   UnixTime `json:"time"`
}

// Head is where a chain stands for one governor: what deadlines are measured against.
type Head struct {
	Latest Block `json:"latest"`
	Final  Block `json:"final"`
	// Clock is the governor's own clock() at Latest.
	Clock Clocks `json:"clock"`
	// BlockTime is the smallest mean block time of the last ten windows of 100 blocks, in seconds; 0 on a
	// timestamp clock.
	BlockTime float64 `json:"block_time"`
}

// At estimates when the governor's clock reaches c: never late, since BlockTime is the smallest mean.
func (h Head) At(clock Clock, c Clocks) UnixTime {
	if clock == ClockTimestamp {
		return UnixTime(c)
	}
	return h.Latest.Time + UnixTime((float64(c)-float64(h.Clock))*h.BlockTime)
}

// Cursor is how far the chain was read: every block up to it lies in a contiguous, hash-linked range.
type Cursor struct {
	Chain ChainID `json:"chain"`
	From  uint64  `json:"from"` // first block of the covered range
	Block Block   `json:"block"`
	Final Block   `json:"final"` // newest finalized block that was read
}
