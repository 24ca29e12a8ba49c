package policies

// canonical is what a policy's digest covers: everything that decides, as written, in a fixed order. Comments,
// layout, the order of policies and their names are not in it.
type canonical struct {
	Version   int             `json:"version"`
	Otherwise string          `json:"otherwise"`
	Rules     []canonicalRule `json:"rules"`
	HoldIf    []canonicalRule `json:"hold_if"`
	OnTimeout string          `json:"on_timeout"`
	Timing    TimingEntry     `json:"timing"`
	Limits    LimitsEntry     `json:"limits"`
}

type canonicalRule struct {
	Name    string `json:"name"`
	Vote    string `json:"vote"`
	When    string `json:"when"`
	Intent  string `json:"intent"`
	Within  string `json:"within"`
	Because string `json:"because"`
	Wait    string `json:"wait"`
	// Despite is left out where a rule has none, so that digests of older policies stay.
	Despite []string `json:"despite,omitempty"`
}

func canonicalOf(f *File, p PolicyFile) canonical {
	out := canonical{Version: f.Version, Otherwise: p.Otherwise, OnTimeout: f.OnTimeout, Timing: f.Timing, Limits: f.Limits}
	for _, r := range p.Rules {
		one := canonicalRule{Name: r.Name, Vote: r.Vote, When: r.When.Text, Intent: r.Intent, Within: r.Within.Text, Because: r.Because, Despite: r.Despite}
		if r.Wait != nil {
			one.Wait = r.Wait.String()
		}
		out.Rules = append(out.Rules, one)
	}
	for _, h := range p.HoldIf {
		out.HoldIf = append(out.HoldIf, canonicalRule{Name: h.Name, When: h.When.Text})
	}
	return out
}

// wholeFile is what the digest of a set covers.
type wholeFile struct {
	Holders   []canonicalHolder    `json:"holders"`
	Policies  []canonicalNamed     `json:"policies"`
	Emergency []canonicalEmergency `json:"emergency"`
}

type canonicalHolder struct {
	Name, Account, Policy string
	Governors             []string
}

type canonicalNamed struct {
	Name   string
	Policy canonical
}

type canonicalEmergency struct{ Name, When, For, Alert string }

func canonicalFile(f *File) (out wholeFile) {
	for _, h := range f.Holders {
		out.Holders = append(out.Holders, canonicalHolder{h.Name, h.Account.String(), h.Policy, h.Governors})
	}
	for _, name := range sortedKeys(f.Policies) {
		out.Policies = append(out.Policies, canonicalNamed{name, canonicalOf(f, f.Policies[name])})
	}
	for _, e := range f.Emergency {
		one := canonicalEmergency{Name: e.Name, When: e.When.Text, For: e.For.String()}
		for _, d := range e.Do {
			one.Alert = d.Alert
		}
		out.Emergency = append(out.Emergency, one)
	}
	return out
}
