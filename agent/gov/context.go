package gov

// Context are facts about who votes and proposes: they may alert or hold a For, nothing else. They are
// no part of any digest.
type Context struct {
	Tally   Maybe[Tally]       `json:"tally" fact:"tally"`
	Quorum  Maybe[QuorumReach] `json:"quorum" fact:"quorum"`
	Turnout Maybe[float64]     `json:"turnout" fact:"turnout"`
	Voter   Voter              `json:"voter" fact:"voter"`
	// Forecast are the chances by the newest forecast on record; it is put in where context is read.
	Forecast Maybe[VoteChances] `json:"forecast" fact:"forecast"`
}

// VoteChances are the point estimates of a forecast.
type VoteChances struct {
	Pass   float64 `json:"pass" fact:"pass"`
	Quorum float64 `json:"quorum" fact:"quorum"`
}

// Tally is the votes so far, in the token's smallest unit.
type Tally struct {
	For     Amount `json:"for" fact:"for"`
	Against Amount `json:"against" fact:"against"`
	Abstain Amount `json:"abstain" fact:"abstain"`
}

// QuorumReach is the quorum of this proposal and whether the tally meets it.
type QuorumReach struct {
	Needed  Amount `json:"needed" fact:"needed"`
	Reached bool   `json:"reached" fact:"reached"`
}

// Voter is the voting key at the proposal's snapshot.
type Voter struct {
	Power           Maybe[Amount]  `json:"power" fact:"power"`
	Share           Maybe[float64] `json:"share" fact:"share"` // of the total supply at the snapshot
	HasVoted        Maybe[bool]    `json:"has_voted" fact:"has_voted"`
	HolderDelegates Maybe[bool]    `json:"holder_delegates" fact:"holder_delegates"`
}

// Flag is something that code saw in the text.
type Flag string

// The flags of `text.flags`.
const (
	FlagHidden       Flag = "hidden-characters"
	FlagBidi         Flag = "bidi"
	FlagConfusables  Flag = "confusables"
	FlagDataURI      Flag = "data-uri"
	FlagInstructions Flag = "instructions"
	FlagEncoded      Flag = "encoded"
	FlagTooLong      Flag = "too-long"
	FlagNotUTF8      Flag = "not-utf8"
)

// BriefKind says who wrote a brief.
type BriefKind string

// The kinds of brief. None when there is no brief yet.
const (
	BriefNone       BriefKind = "none"
	BriefExtractive BriefKind = "extractive"
	BriefModel      BriefKind = "model"
)

// Reading is what code (and at most a model) saw in the text, as numbers and enums only: what hold_if
// reads beside the context. D never takes it.
type Reading struct {
	Text  TextReading  `json:"text" fact:"text"`
	Brief BriefReading `json:"brief" fact:"brief"`
}

// TextReading is the length in bytes and the flags of the text.
type TextReading struct {
	Length Maybe[int64]  `json:"length" fact:"length"`
	Flags  Maybe[[]Flag] `json:"flags" fact:"flags"`
}

// BriefReading is the kind of brief, and whether the text contradicts the calls (detector D10).
type BriefReading struct {
	Kind        Maybe[BriefKind] `json:"kind" fact:"kind"`
	Contradicts Maybe[bool]      `json:"contradicts" fact:"contradicts"`
}
