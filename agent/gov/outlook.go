package gov

// Quantiles is a distribution by its quantiles.
type Quantiles struct {
	P05 Maybe[float64] `json:"p05" fact:"p05"`
	P50 Maybe[float64] `json:"p50" fact:"p50"`
	P95 Maybe[float64] `json:"p95" fact:"p95"`
	P99 Maybe[float64] `json:"p99" fact:"p99"`
}

// Outlook is Monte Carlo on content facts and the operator's inputs: what the DAO's treasury and token look like at a
// horizon. Of all that a policy reads it is the only part that is not a fact; it is computed with the facts, from a
// seed of the proposal's own, so that one proposal has one outlook on the same facts.
type Outlook struct {
	Treasury Maybe[TreasuryOutlook] `json:"treasury" fact:"treasury"`
	// Dilution is the share, 0..1, that a holder outside the treasury loses.
	Dilution   Maybe[Quantiles]         `json:"dilution" fact:"dilution"`
	Collateral Maybe[CollateralOutlook] `json:"collateral" fact:"collateral"`
}

// Outlooks are the outlook with the proposal, which policies read, and the one without it on the same random numbers:
// what differs between them is the proposal's doing.
type Outlooks struct {
	With    Outlook `json:"with"`
	Without Outlook `json:"without"`
	// Missing says why a part with the proposal could not be had.
	Missing []Missing      `json:"missing"`
	Engine  ForecastEngine `json:"engine"`
}

// TreasuryOutlook is the treasury at the horizon; a runway beyond it is said to be the horizon.
type TreasuryOutlook struct {
	RunwayDays Quantiles `json:"runway_days" fact:"runway_days"`
	ValueUSD   Quantiles `json:"value_usd" fact:"value_usd"`
}

// CollateralOutlook is the market's bad debt.
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
