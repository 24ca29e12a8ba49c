package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// newSimulate runs the Monte Carlo models of money on their own.
func newSimulate() *cobra.Command {
	c := &cobra.Command{
		Use: "simulate", Short: "Monte Carlo of a treasury or a lending market, from a scenario file", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(
		simulateCommand("treasury", "How long a treasury lasts and what it is worth then",
			"Cash is spent first, then assets are sold pro rata. Runway is in days; ruin is the share of paths that run out\nwithin the horizon. Intervals are 95 %, of sampling alone.", simulateTreasury),
		simulateCommand("collateral", "The bad debt that falling prices leave in a lending market",
			"A vault is liquidated at the first step where its debt exceeds threshold times collateral; what the collateral\ndoes not repay is bad debt. Intervals are 95 %, of sampling alone.", simulateCollateral),
	)
	return c
}

// simulation is a result that prints itself in both forms.
type simulation interface{ text() string }

func simulateCommand(kind, short, long string, run func(ctx context.Context, name string, text []byte, workers int) (simulation, error)) *cobra.Command {
	var asJSON bool
	var workers int
	c := &cobra.Command{
		Use: kind + " FILE", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readBounded(args[0], maxScenario)
			if err != nil {
				return fmt.Errorf("read the scenario: %w", err)
			}
			if workers < 0 {
				return usageError{fmt.Errorf("--workers %d is below 0", workers)}
			}
			out, err := run(cmd.Context(), args[0], text, workers)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), out)
			}
			return printText(cmd.OutOrStdout(), out.text())
		},
	}
	c.Flags().IntVar(&workers, "workers", 0, "how many work at it; 0: one a processor. The result is the same")
	jsonFlag(c, &asJSON)
	return c
}

// maxScenario bounds a scenario file, in bytes; what is over the language's own limit is a problem with a place.
const maxScenario = 4 * strict.MaxBytes

// ScenarioRun is what both kinds of scenario have in common.
type ScenarioRun struct {
	Version     int             `yaml:"version,required" strict:"min=1,max=1"`
	Seed        int64           `yaml:"seed" strict:"min=0,max=9007199254740991"`
	Paths       int64           `yaml:"paths,required" strict:"min=1,max=1000000000"`
	Horizon     strict.Duration `yaml:"horizon,required"`
	Step        strict.Duration `yaml:"step,required"`
	Correlation [][]float64     `yaml:"correlation"`
	Shocks      shockScenario   `yaml:"shocks"`
	Jumps       jumpScenario    `yaml:"jumps"`
}

// shockScenario is normal, or {student_t: N}.
type shockScenario struct{ degrees float64 }

// ParseNode implements strict.NodeParser.
func (s *shockScenario) ParseNode(n strict.Node) {
	if n.Kind() == strict.Mapping {
		var t struct {
			Degrees float64 `yaml:"student_t,required"`
		}
		n.Decode(&t)
		if s.degrees = t.Degrees; !(t.Degrees > 2) {
			n.Report(fmt.Sprintf("student_t is %g: such shocks have no variance", t.Degrees), "more than 2 degrees of freedom")
		}
		return
	}
	if word, ok := n.Text(); ok && word != "normal" {
		n.Report(fmt.Sprintf("%q is no kind of shocks", word), "normal, or {student_t: 4}")
	}
}

type jumpScenario struct {
	PerYear float64 `yaml:"per_year,required" strict:"min=0,max=10000"`
	Mean    float64 `yaml:"mean" strict:"min=-20,max=20"`
	SD      float64 `yaml:"sd" strict:"min=0,max=5"`
}

type ScenarioAsset struct {
	Name  string  `yaml:"name,required"`
	Price float64 `yaml:"price_usd,required" strict:"min=0"`
	Drift float64 `yaml:"drift" strict:"min=-20,max=20"`
	Vol   float64 `yaml:"vol" strict:"min=0,max=20"`
}

const secondsADay = 24 * 60 * 60

func days(d strict.Duration) float64 { return float64(d.Seconds()) / secondsADay }

// market puts the prices together, and says where the file makes no sense.
func (s ScenarioRun) market(doc *strict.Doc, assets []ScenarioAsset) (m simulators.Market, problems strict.Problems) {
	seen := map[string]bool{}
	for i, a := range assets {
		m.Assets = append(m.Assets, simulators.Asset{Name: a.Name, Drift: a.Drift, Vol: a.Vol})
		switch {
		case a.Name == "":
			problems = append(problems, doc.Problem(strict.Path("assets", i, "name"), "the name is empty", ""))
		case seen[a.Name]:
			problems = append(problems, doc.Problem(strict.Path("assets", i, "name"), fmt.Sprintf("there are two assets %s", a.Name), ""))
		}
		seen[a.Name] = true
	}
	m.Correlation, m.StudentT = s.Correlation, s.Shocks.degrees
	m.Jumps = simulators.Jumps{PerYear: s.Jumps.PerYear, Mean: s.Jumps.Mean, SD: s.Jumps.SD}
	if err := m.Check(); err != nil {
		at := "$.assets"
		if doc.Has("$.correlation") {
			at = "$.correlation"
		}
		problems = append(problems, doc.Problem(at, err.Error(), ""))
	}
	if s.Step <= 0 || s.Horizon <= 0 || s.Horizon%max(s.Step, 1) != 0 {
		problems = append(problems, doc.Problem("$.horizon", "the horizon is not a whole number of steps", "horizon: 365d with step: 1d"))
	}
	return m, problems
}

func (s ScenarioRun) engine(workers int) mc.Engine {
	return mc.Engine{Seed: uint64(s.Seed), Paths: s.Paths, Workers: workers}
}

// treasuryScenario is the file of `simulate treasury`.
type treasuryScenario struct {
	ScenarioRun `yaml:",inline"`
	Kind        string            `yaml:"kind,required" strict:"enum=treasury"`
	Cash        float64           `yaml:"cash_usd" strict:"min=0"`
	Assets      []holdingScenario `yaml:"assets"`
	Flows       []flowScenario    `yaml:"flows"`
	Barriers    []barrierScenario `yaml:"barriers"`
}

type holdingScenario struct {
	ScenarioAsset `yaml:",inline"`
	Amount        float64 `yaml:"amount,required" strict:"min=0"`
}

type flowScenario struct {
	Name string  `yaml:"name"`
	Flow float64 `yaml:"usd_per_day,required"`
}

type barrierScenario struct {
	Name    string  `yaml:"name,required"`
	Below   float64 `yaml:"below,required"`
	Monitor string  `yaml:"monitor" strict:"enum=step|continuous"`
}

func (s treasuryScenario) treasury(doc *strict.Doc) (simulators.Treasury, strict.Problems) {
	t := simulators.Treasury{Cash: s.Cash, Horizon: days(s.Horizon), Step: days(s.Step)}
	var assets []ScenarioAsset
	for _, a := range s.Assets {
		assets = append(assets, a.ScenarioAsset)
		t.Values = append(t.Values, a.Amount*a.Price)
	}
	for _, f := range s.Flows {
		t.Flow += f.Flow
	}
	var problems strict.Problems
	t.Market, problems = s.market(doc, assets)
	for i, b := range s.Barriers {
		t.Barriers = append(t.Barriers, simulators.Barrier{Name: b.Name, Below: b.Below, Continuous: b.Monitor == "continuous"})
		if !(b.Below > 0 && b.Below < 1) {
			problems = append(problems, doc.Problem(strict.Path("barriers", i, "below"), fmt.Sprintf("%g is not between 0 and 1", b.Below), "a share of the value at the start"))
		}
	}
	if err := t.Check(); err != nil && len(problems) == 0 {
		problems = append(problems, doc.Problem("$", err.Error(), ""))
	}
	return t, problems
}

// engineResult is what to repeat.
type engineResult struct {
	Paths   int64  `json:"paths"`
	Seed    uint64 `json:"seed"`
	Version string `json:"version"`
}

// chanceResult is a share of paths with its interval.
type chanceResult struct {
	P    float64 `json:"p"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func chance(p mc.Proportion) (c chanceResult) {
	c.P, c.Low, c.High = p.Wilson()
	return c
}

func (c chanceResult) String() string {
	if c.P == 0 {
		return fmt.Sprintf("never seen (below %.2g %%)", 100*c.High)
	}
	return fmt.Sprintf("%.4g %% (%.4g to %.4g)", 100*c.P, 100*c.Low, 100*c.High)
}

// quantile is null where it is beyond the horizon.
func quantile(s mc.Sample, q float64) gov.Maybe[float64] {
	x := s.Quantile(q)
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return gov.Maybe[float64]{}
	}
	return gov.Known(x)
}

type treasuryResult struct {
	Version  int             `json:"version"`
	Kind     string          `json:"kind"`
	Value    valueResult     `json:"value_usd"`
	Runway   runwayResult    `json:"runway_days"`
	Ruin     chanceResult    `json:"ruin"`
	Barriers []barrierResult `json:"barriers"`
	Engine   engineResult    `json:"engine"`
}

type valueResult struct {
	Mean float64            `json:"mean"`
	SE   float64            `json:"se"`
	P05  gov.Maybe[float64] `json:"p05"`
	P50  gov.Maybe[float64] `json:"p50"`
	P95  gov.Maybe[float64] `json:"p95"`
}

type runwayResult struct {
	P05 gov.Maybe[float64] `json:"p05"`
	P50 gov.Maybe[float64] `json:"p50"`
	P95 gov.Maybe[float64] `json:"p95"`
}

type barrierResult struct {
	Name string `json:"name"`
	chanceResult
}

func simulateTreasury(ctx context.Context, name string, text []byte, workers int) (simulation, error) {
	var s treasuryScenario
	doc, problems := strict.ReadAt(name, text, &s)
	if problems.HasErrors() {
		return nil, problems
	}
	t, problems := s.treasury(doc)
	if problems.HasErrors() {
		return nil, problems
	}
	r, err := t.Run(ctx, s.engine(workers))
	if err != nil {
		return nil, err
	}
	out := treasuryResult{
		Version: 1, Kind: "treasury", Ruin: chance(r.Ruin), Barriers: []barrierResult{},
		Value:  valueResult{r.Value.Mean, r.Value.SE(), quantile(r.Value, .05), quantile(r.Value, .5), quantile(r.Value, .95)},
		Runway: runwayResult{quantile(r.Runway, .05), quantile(r.Runway, .5), quantile(r.Runway, .95)},
		Engine: engineResult{s.Paths, uint64(s.Seed), mc.Version},
	}
	for i, b := range t.Barriers {
		out.Barriers = append(out.Barriers, barrierResult{b.Name, chance(r.Barriers[i])})
	}
	return out, nil
}

func (r treasuryResult) text() string {
	var t renderer
	day := func(m gov.Maybe[float64]) string {
		if d, ok := m.Get(); ok {
			return fmt.Sprintf("%.1f days", d)
		}
		return "beyond the horizon"
	}
	t.line("%s", heading.Render("Treasury"))
	t.line("  value at the end   %s USD ± %s (5 %%: %s, half: %s, 95 %%: %s)", usd(r.Value.Mean), usd(mc.Z95*r.Value.SE), usd(r.Value.P05.Or(0)), usd(r.Value.P50.Or(0)), usd(r.Value.P95.Or(0)))
	t.line("  runway             5 %%: %s, half: %s, 95 %%: %s", day(r.Runway.P05), day(r.Runway.P50), day(r.Runway.P95))
	t.line("  runs out           %s", r.Ruin)
	for _, b := range r.Barriers {
		t.line("  %-18s %s", b.Name, b.chanceResult)
	}
	t.line("%s", r.Engine)
	return t.String()
}

// String says what to repeat, and what the intervals are not.
func (e engineResult) String() string {
	return faint.Render(fmt.Sprintf("  %d paths, seed %d, %s. Intervals are of sampling alone, not of the model or its inputs.", e.Paths, e.Seed, e.Version))
}

// collateralScenario is the file of `simulate collateral`.
type collateralScenario struct {
	ScenarioRun `yaml:",inline"`
	Kind        string              `yaml:"kind,required" strict:"enum=collateral"`
	Buffer      float64             `yaml:"buffer_usd" strict:"min=0"`
	Assets      []collateralAsset   `yaml:"assets,required"`
	Liquidation liquidationScenario `yaml:"liquidation"`
	Positions   []positionScenario  `yaml:"positions,required"`
}

type collateralAsset struct {
	ScenarioAsset `yaml:",inline"`
	Threshold     float64 `yaml:"threshold,required" strict:"min=0,max=1"`
	Bonus         float64 `yaml:"bonus" strict:"min=0,max=1"`
	Depth         float64 `yaml:"depth_usd" strict:"min=0"`
}

type liquidationScenario struct {
	Delay       strict.Duration `yaml:"delay"`
	CloseFactor float64         `yaml:"close_factor" strict:"min=0,max=1"`
}

type positionScenario struct {
	Owner      string             `yaml:"owner"`
	Collateral map[string]float64 `yaml:"collateral,required"`
	Debt       float64            `yaml:"debt_usd,required" strict:"min=0"`
}

func (s collateralScenario) collateral(doc *strict.Doc) (simulators.Collateral, strict.Problems) {
	c := simulators.Collateral{Buffer: s.Buffer, Horizon: days(s.Horizon), Step: days(s.Step), Delay: days(s.Liquidation.Delay), CloseFactor: s.Liquidation.CloseFactor}
	var assets []ScenarioAsset
	index := map[string]int{}
	for i, a := range s.Assets {
		assets = append(assets, a.ScenarioAsset)
		index[a.Name] = i
		c.Terms = append(c.Terms, simulators.Terms{Threshold: a.Threshold, Bonus: a.Bonus, Depth: a.Depth})
	}
	var problems strict.Problems
	c.Market, problems = s.market(doc, assets)
	for i, p := range s.Positions {
		v := simulators.Vault{Values: make([]float64, len(s.Assets)), Debt: p.Debt}
		for _, name := range doc.Keys(strict.Path("positions", i, "collateral")) {
			a, ok := index[name]
			if !ok {
				problems = append(problems, doc.Problem(strict.Path("positions", i, "collateral", name), fmt.Sprintf("there is no asset %q", name), nearest(name, index)))
				continue
			}
			v.Values[a] = p.Collateral[name] * s.Assets[a].Price
		}
		c.Vaults = append(c.Vaults, v)
	}
	if err := c.Check(); err != nil && len(problems) == 0 {
		problems = append(problems, doc.Problem("$", err.Error(), ""))
	}
	return c, problems
}

func nearest(name string, index map[string]int) string {
	var names []string
	for n := range index {
		names = append(names, n)
	}
	if near := strict.Suggest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

type collateralResult struct {
	Version    int           `json:"version"`
	Kind       string        `json:"kind"`
	BadDebt    badDebtResult `json:"bad_debt_usd"`
	Insolvent  chanceResult  `json:"insolvent"`
	OverBuffer chanceResult  `json:"over_buffer"`
	Liquidated chanceResult  `json:"liquidated"`
	Engine     engineResult  `json:"engine"`
}

type badDebtResult struct {
	Mean float64            `json:"mean"`
	SE   float64            `json:"se"`
	P50  gov.Maybe[float64] `json:"p50"`
	P95  gov.Maybe[float64] `json:"p95"`
	P99  gov.Maybe[float64] `json:"p99"`
}

func simulateCollateral(ctx context.Context, name string, text []byte, workers int) (simulation, error) {
	s := collateralScenario{Liquidation: liquidationScenario{CloseFactor: 1}}
	doc, problems := strict.ReadAt(name, text, &s)
	if problems.HasErrors() {
		return nil, problems
	}
	c, problems := s.collateral(doc)
	if problems.HasErrors() {
		return nil, problems
	}
	r, err := c.Run(ctx, s.engine(workers))
	if err != nil {
		return nil, err
	}
	return collateralResult{
		Version: 1, Kind: "collateral", Insolvent: chance(r.Insolvent), OverBuffer: chance(r.OverBuffer), Liquidated: chance(r.Liquidated),
		BadDebt: badDebtResult{r.BadDebt.Mean, r.BadDebt.SE(), quantile(r.BadDebt, .5), quantile(r.BadDebt, .95), quantile(r.BadDebt, .99)},
		Engine:  engineResult{s.Paths, uint64(s.Seed), mc.Version},
	}, nil
}

func (r collateralResult) text() string {
	var t renderer
	t.line("%s", heading.Render("Lending market"))
	t.line("  bad debt           %s USD ± %s (half: %s, 95 %%: %s, 99 %%: %s)", usd(r.BadDebt.Mean), usd(mc.Z95*r.BadDebt.SE), usd(r.BadDebt.P50.Or(0)), usd(r.BadDebt.P95.Or(0)), usd(r.BadDebt.P99.Or(0)))
	t.line("  any bad debt       %s", r.Insolvent)
	t.line("  over the buffer    %s", r.OverBuffer)
	t.line("  any liquidation    %s", r.Liquidated)
	t.line("%s", r.Engine)
	return t.String()
}

// writeLine is one line of output.
func writeLine(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format+"\n", args...)
	return err
}

// usd is an amount of money for people, without exponents; whole dollars where that is exact enough.
func usd(x float64) string {
	if x != 0 && x < 100 && x > -100 {
		return fmt.Sprintf("%.2f", x)
	}
	return grouped(fmt.Sprintf("%.0f", x))
}
