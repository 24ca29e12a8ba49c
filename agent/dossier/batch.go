package dossier

import "github.com/legate-dao/legate/agent/gov"

// Seen is a proposal as its creation log tells it.
type Seen struct {
	Proposal gov.Proposal `json:"proposal"`
	Text     Text         `json:"text"`
	Shown    Shown        `json:"shown"`
	// Log is the digest of the log's bytes and place; zero in records of older versions.
	Log gov.Hash `json:"log,omitzero"`
}

// Change is a later log about a proposal: its state as far as the log tells, or a moved deadline.
type Change struct {
	ID    gov.ProposalID `json:"id"`
	State gov.State      `json:"state"` // empty when the log only moves the deadline
	Ends  gov.Clocks     `json:"ends"`  // 0 when unchanged
	Block gov.Block      `json:"block"`
	// Log is the digest of the log's bytes and place; zero where the state was read, not logged.
	Log gov.Hash `json:"log,omitzero"`
}

// Batch is what one poll of a chain brought, in chain order: store it and advance the cursor in one
// transaction. A reorganisation comes first.
type Batch struct {
	From, To gov.Cursor
	// Followed are the governors whose logs were read in the final blocks between From and To.
	Followed []gov.Address
	// Filled is what was read beside, of blocks under To.Final, for governors that were added later, and where
	// their reading begins.
	Filled []gov.Followed
	// Rewound is the last common block, when blocks that had been read are gone; nil otherwise.
	// Everything seen above it did not happen.
	Rewound *gov.Block
	// Broken says that the reorganisation reached below a finalized block (G21): stop signing, alarm.
	Broken bool
	// Confirmed are the blocks that became final with this batch; nil if none. All of their logs are among Seen and
	// Changes, also those that were told before. What was told of them before and is not among these did not happen.
	Confirmed *Span
	Seen      []Seen
	Changes   []Change
	// Heads are the clocks of the governors at To, by governor.
	Heads map[gov.Address]gov.Head
	// Recent are the hash-linked blocks from the newest final one up to To, ascending: what the next poll
	// compares to notice a reorganisation.
	Recent []gov.Block
	// Behind says that blocks up to the head remain to be read: poll again at once.
	Behind bool
}

// Span is a range of blocks, both ends included.
type Span struct{ From, To uint64 }

// Has reports whether a block is in the range.
func (s *Span) Has(number uint64) bool { return s != nil && s.From <= number && number <= s.To }
