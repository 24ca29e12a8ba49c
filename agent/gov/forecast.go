package gov

// Forecast is how a voting may end, by Monte Carlo and by convolution on the voters' habits. It is context: it may
// alert, or hold a For, nothing else, and is part of no digest.
type Forecast struct {
	// Pass is that the proposal will have passed when voting ends: more for than against, and the quorum reached.
	Pass Chance `json:"pass"`
	// Quorum is that the votes that count reach the quorum.
	Quorum Chance `json:"quorum"`
	// For, Against and Turnout (the sum of all, abstentions among them) are the final counts in the token's smallest
	// unit.
	For     Spread         `json:"for"`
	Against Spread         `json:"against"`
	Turnout Spread         `json:"turnout"`
	Engine  ForecastEngine `json:"engine"`
}

// Chances are the point estimates, unknown without a forecast.
func (f *Forecast) Chances() Maybe[VoteChances] {
	if f == nil {
		return Maybe[VoteChances]{}
	}
	return Known(VoteChances{Pass: f.Pass.P, Quorum: f.Quorum.P})
}

// Chance is a probability with its 95 % interval. The interval is of the computation alone: that voters may leave
// their habits is not in it.
type Chance struct {
	P    float64 `json:"p"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Spread is a distribution of amounts by three quantiles.
type Spread struct {
	P05 Amount `json:"p05"`
	P50 Amount `json:"p50"`
	P95 Amount `json:"p95"`
}

// ForecastEngine says what to repeat to get the same numbers.
type ForecastEngine struct {
	Paths   int64  `json:"paths"`
	Seed    string `json:"seed"` // decimal
	Version string `json:"version"`
}

// History is how a governor's voters voted up to one moment: numbers and addresses only. Lists are in the order of
// the chain.
type History struct {
	// At is the moment, in the governor's clock. Nothing later is in it.
	At   Clocks   `json:"at"`
	Rule VoteRule `json:"rule"`
	// Ended are the votings that had ended by then, in the order of their ends.
	Ended []Voting `json:"ended"`
	// Current is the voting that is forecast, with the votes cast so far.
	Current Voting `json:"current"`
	// Powers are what voters can cast in the current voting, by its snapshot, where that was asked for; for the others
	// their last vote's weight stands in.
	Powers []VoterPower `json:"powers"`
}

// VoteRule is when a proposal passes: for exceeds against by more than Lead, and the counted votes reach Quorum.
type VoteRule struct {
	Quorum  Amount `json:"quorum"` // zero: none is needed
	Lead    Amount `json:"lead"`
	For     bool   `json:"for"` // which votes count towards the quorum
	Against bool   `json:"against"`
	Abstain bool   `json:"abstain"`
}

// Voting is one proposal's vote.
type Voting struct {
	Starts Clocks `json:"starts"`
	Ends   Clocks `json:"ends"`
	// Quorum is what it needed; zero where that was as in the history's rule.
	Quorum Amount     `json:"quorum"`
	Votes  []CastVote `json:"votes"`
}

// CastVote is one vote that was cast. Where a voter may vote again, the last one is meant.
type CastVote struct {
	Voter   Address `json:"voter"`
	Support Support `json:"support"`
	Weight  Amount  `json:"weight"`
	At      Clocks  `json:"at"`
}

// VoterPower is a voter's weight at a snapshot.
type VoterPower struct {
	Voter Address `json:"voter"`
	Power Amount  `json:"power"`
}
