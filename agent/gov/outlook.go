package gov

// Quantiles is a distribution by its quantiles.
type Quantiles struct {
	P05 Maybe[float64] `json:"p05" fact:"p05"`
	P50 Maybe[float64] `json:"p50" fact:"p50"`
	P95 Maybe[float64] `json:"p95" fact:"p95"`
	P99 Maybe[float64] `json:"p99" fact:"p99"`
}

// Outlook is Monte Carlo on content facts and the operator's prices. Missing until a release has it.
type Outlook struct {
	Treasury   Maybe[TreasuryOutlook]   `json:"treasury" fact:"treasury"`
	Dilution   Maybe[Quantiles]         `json:"dilution" fact:"dilution"`
	Collateral Maybe[CollateralOutlook] `json:"collateral" fact:"collateral"`
}

// TreasuryOutlook is the treasury after the proposal.
type TreasuryOutlook struct {
	RunwayDays Quantiles `json:"runway_days" fact:"runway_days"`
	ValueUSD   Quantiles `json:"value_usd" fact:"value_usd"`
}

// CollateralOutlook is the market's bad debt after the proposal.
type CollateralOutlook struct {
	BadDebtUSD Quantiles `json:"bad_debt_usd" fact:"bad_debt_usd"`
}

// Answer is a judge's answer to one clause.
type Answer string

// The answers; anything but yes counts as unknown.
const (
	AnswerYes     Answer = "yes"
	AnswerNo      Answer = "no"
	AnswerUnclear Answer = "unclear"
)

// Judgement are the answers to a policy's clauses by the digest of the clause. Empty while there is no judge.
type Judgement struct {
	Answers []ClauseAnswer `json:"answers"`
}

// ClauseAnswer is one answer.
type ClauseAnswer struct {
	Clause Hash   `json:"clause"` // sha256 of the clause
	Answer Answer `json:"answer"`
}
