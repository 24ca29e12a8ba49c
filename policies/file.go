package policies

import "github.com/legate-dao/legate/policies/strict"

// File is policies.yaml as a person writes it; `legate schema policies` prints its JSON Schema.
type File struct {
	Version   int                   `yaml:"version,required" strict:"min=1,max=1"`
	Holders   []HolderEntry         `yaml:"holders,required"`
	Policies  map[string]PolicyFile `yaml:"policies,required"`
	OnTimeout string                `yaml:"on_timeout" strict:"enum=no_vote|abstain|against"`
	Timing    TimingEntry           `yaml:"timing"`
	Limits    LimitsEntry           `yaml:"limits"`
	Emergency []EmergencyEntry      `yaml:"emergency"`
}

// HolderEntry is one entry of holders.
type HolderEntry struct {
	Name      string         `yaml:"name,required"`
	Account   strict.Account `yaml:"account,required"`
	Governors []string       `yaml:"governors,required"`
	Policy    string         `yaml:"policy,required"`
}

// PolicyFile is one policy.
type PolicyFile struct {
	Otherwise string        `yaml:"otherwise" strict:"enum=hold|abstain|against"`
	Rules     []RuleEntry   `yaml:"rules,required"`
	HoldIf    []HoldIfEntry `yaml:"hold_if"`
}

// SetDefaults is called for each policy before it is read.
func (p *PolicyFile) SetDefaults() { p.Otherwise = "hold" }

// RuleEntry is one rule.
type RuleEntry struct {
	Name    string           `yaml:"name,required"`
	Vote    string           `yaml:"vote,required" strict:"enum=for|against|abstain|hold"`
	When    strict.Expr      `yaml:"when"`
	Intent  string           `yaml:"intent"`
	Within  strict.Expr      `yaml:"within"`
	Because string           `yaml:"because"`
	Despite []string         `yaml:"despite"`
	Wait    *strict.Duration `yaml:"wait"`
}

// HoldIfEntry is one hold_if.
type HoldIfEntry struct {
	Name string      `yaml:"name,required"`
	When strict.Expr `yaml:"when,required"`
}

// TimingEntry is timing.
type TimingEntry struct {
	Wait       strict.Duration `yaml:"wait"`
	Latest     strict.Duration `yaml:"latest"`
	IfTooShort string          `yaml:"if_too_short" strict:"enum=hold|vote"`
}

// LimitsEntry is limits.
type LimitsEntry struct {
	FeePerVote  strict.Amount `yaml:"fee_per_vote"`
	FeePerDay   strict.Amount `yaml:"fee_per_day"`
	VotesPerDay int           `yaml:"votes_per_day" strict:"min=0,max=100000"`
}

// EmergencyEntry is one emergency rule.
type EmergencyEntry struct {
	Name string          `yaml:"name,required"`
	When strict.Expr     `yaml:"when,required"`
	For  strict.Duration `yaml:"for"`
	Do   []DoEntry       `yaml:"do,required"`
}

// DoEntry is one thing that an emergency rule does.
type DoEntry struct {
	Alert string `yaml:"alert" strict:"enum=info|warning|critical"`
}

// defaults is what a file that leaves everything out says.
func defaults() File {
	must := func(text string) strict.Amount {
		a, err := strict.ParseAmount(text)
		if err != nil {
			panic(err) // a constant of ours
		}
		return a
	}
	hours := func(n int64) strict.Duration { return strict.Duration(n * 3600 * 1e9) }
	return File{
		OnTimeout: "no_vote",
		Timing:    TimingEntry{Wait: hours(6), Latest: hours(12), IfTooShort: "hold"},
		Limits:    LimitsEntry{FeePerVote: must("0.01 ETH"), FeePerDay: must("0.05 ETH"), VotesPerDay: 20},
	}
}
