package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/notify/web"
	"github.com/legate-dao/legate/policies/strict"
)

// Config is legate.yaml, the operator's file (FORMATS). Paths in it are relative to its folder.
type Config struct {
	Version   int                    `yaml:"version,required" strict:"min=1,max=1"`
	Store     string                 `yaml:"store"`
	Chains    map[string]ChainConfig `yaml:"chains,required"`
	Governors []GovernorConfig       `yaml:"governors,required"`
	Voter     *VoterConfig           `yaml:"voter"`
	Policies  string                 `yaml:"policies"`
	Model     ModelConfig            `yaml:"model"`
	Schedules SchedulesConfig        `yaml:"schedules"`
	Caps      CapsConfig             `yaml:"caps"`
	Web       WebConfig              `yaml:"web"`
	Log       LogConfig              `yaml:"log"`
	AlertsConfig

	path string
	doc  *strict.Doc
}

// ChainConfig is one chain.
type ChainConfig struct {
	RPC      []EndpointConfig `yaml:"rpc,required"`
	Agree    int              `yaml:"agree" strict:"min=1,max=16"`
	Finality FinalityConfig   `yaml:"finality"`
	Poll     strict.Duration  `yaml:"poll"`
}

// SetDefaults is what a file leaves out.
func (c *ChainConfig) SetDefaults() {
	c.Finality = FinalityConfig{rpc.Finalized}
	c.Poll = strict.Duration(4 * time.Second)
}

// EndpointConfig is an address, or {http, ws}. Addresses may hold keys, so they print as [redacted].
type EndpointConfig struct {
	HTTP strict.Private `yaml:"http,required"`
	WS   strict.Private `yaml:"ws"`
}

// ParseNode takes both shapes.
func (e *EndpointConfig) ParseNode(n strict.Node) {
	if n.Kind() == strict.Mapping {
		type plain EndpointConfig
		n.Decode((*plain)(e))
		return
	}
	n.Decode(&e.HTTP)
}

// FinalityConfig is finalized, safe, latest, or a number of blocks behind the head.
type FinalityConfig struct{ rpc.Finality }

// ParseStrict reads the word or number.
func (f *FinalityConfig) ParseStrict(text string) (err error) {
	f.Finality, err = rpc.ParseFinality(text)
	return err
}

// GovernorConfig is one watched governor.
type GovernorConfig struct {
	Name      string            `yaml:"name,required"`
	Address   strict.Account    `yaml:"address,required"`
	FromBlock uint64            `yaml:"from_block"`
	Treasury  []strict.Address  `yaml:"treasury"`
	Tokens    []strict.Address  `yaml:"tokens"`
	Prices    string            `yaml:"prices"`
	Feeds     map[string]string `yaml:"feeds" strict:"later"`
	Book      string            `yaml:"book"`
	After     []strict.Expr     `yaml:"after" strict:"later"`
	Outlook   OutlookConfig     `yaml:"outlook"`
}

// VoterConfig is the voting key and its ledger.
type VoterConfig struct {
	Key        string           `yaml:"key,required"`
	Passphrase strict.Secret    `yaml:"passphrase"`
	Ledger     string           `yaml:"ledger"`
	Approvers  []strict.Address `yaml:"approvers"`
	MaxFeeGwei float64          `yaml:"max_fee_gwei" strict:"min=0"`
	MaxAge     strict.Duration  `yaml:"max_age"`
	Live       bool             `yaml:"live"`
}

// SetDefaults is what a file leaves out.
func (v *VoterConfig) SetDefaults() {
	v.Ledger, v.MaxFeeGwei, v.MaxAge = "ledger/", 200, strict.Duration(30*time.Minute)
}

// SchedulesConfig are cron expressions in UTC.
type SchedulesConfig struct {
	Sweep      Schedule `yaml:"sweep"`
	Resimulate Schedule `yaml:"resimulate"` // forecasts of open votes
	Digest     Schedule `yaml:"digest"`
}

// CapsConfig are the thresholds beyond which findings are warnings or critical.
type CapsConfig struct {
	OutflowUSD float64 `yaml:"outflow_usd" strict:"min=0"`
	OutflowBps float64 `yaml:"outflow_bps" strict:"min=0"`
}

// WebConfig is where the JSON API and metrics listen.
type WebConfig struct {
	Listen string        `yaml:"listen"`
	Token  strict.Secret `yaml:"token"`
}

// LogConfig is how the log is written to stderr.
type LogConfig struct {
	Level  string `yaml:"level" strict:"enum=debug|info|warn|error"`
	Format string `yaml:"format" strict:"enum=text|json"`
}

// ModelConfig is the local model that writes briefs and, where the gate requires one, reads texts.
type ModelConfig struct {
	// Endpoint is auto (on this machine), none, or the URL of a server.
	Endpoint string `yaml:"endpoint"`
	// Name of the model there; empty takes the first that the server lists.
	Name string `yaml:"name"`
	// Gate says whether a model must pass the text as well before a For.
	Gate     string          `yaml:"gate" strict:"enum=none|required"`
	Language string          `yaml:"language"`
	Timeout  strict.Duration `yaml:"timeout"` // of one answer
}

// maxModelTimeout leaves room for an answer in the time that a step of the daemon has.
const maxModelTimeout = 150 * time.Second

// check says what is wrong with the model's part, by key.
func (m ModelConfig) check(complain func(key, message, hint string)) {
	if err := checkEndpoint(m.Endpoint); err != nil {
		complain("endpoint", err.Error(), "auto, none, or a URL such as http://127.0.0.1:11434")
	}
	if m.Gate == gateRequired && m.Endpoint == noModel {
		complain("gate", "required, but there is no model: every For would be held", "name an endpoint, or gate: none")
	}
	if m.Language != "en" {
		complain("language", fmt.Sprintf("briefs in %q are not in this release", m.Language), "en")
	}
	if t := m.Timeout.Std(); t < time.Second || t > maxModelTimeout {
		complain("timeout", fmt.Sprintf("%s is not between 1s and %s", t, maxModelTimeout), "")
	}
}

// newConfig has the defaults of the example in FORMATS.
func newConfig() Config {
	return Config{
		Store: "sqlite:legate.db", Policies: "policies.yaml",
		Schedules: SchedulesConfig{Sweep: "*/10 * * * *", Resimulate: "0 6 * * *", Digest: "0 8 * * 1"},
		Caps:      CapsConfig{OutflowUSD: 1_000_000, OutflowBps: 500},
		Model:     ModelConfig{Endpoint: anyModel, Gate: "none", Language: "en", Timeout: strict.Duration(2 * time.Minute)},
		Web:       WebConfig{Listen: "127.0.0.1:8645"},
		Log:       LogConfig{Level: "info", Format: "text"},
	}
}

// readConfig reads and checks legate.yaml.
func readConfig(path string) (Config, error) {
	text, err := readBounded(path, 4*strict.MaxBytes) // what is over the limit is a problem with a place
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w; `legate init` writes one, docs/legate.example.yaml explains it", err)
	}
	c, problems := parseConfig(path, text)
	return c, problems.Err()
}

// parseConfig reads legate.yaml and reports everything that is wrong with it.
func parseConfig(path string, text []byte) (Config, strict.Problems) {
	c := newConfig()
	doc, problems := strict.ReadAt(path, text, &c)
	c.path, c.doc = path, doc
	if doc == nil {
		return c, problems
	}
	// A line with a mistake is not read for its meaning as well: what could not be read would be told twice.
	lines := map[int]bool{}
	for _, p := range problems {
		lines[p.Line] = lines[p.Line] || p.Severity == strict.Error
	}
	for _, p := range c.check(!problems.HasErrors()) {
		if !lines[p.Line] {
			problems = append(problems, p)
		}
	}
	problems.Sort()
	return c, problems
}

// check is what the shapes alone do not say. Where the file was not read as a whole, what is missing may be there.
func (c *Config) check(whole bool) (out strict.Problems) {
	complain := func(path, message, hint string) { out = append(out, c.doc.Problem(path, message, hint)) }
	if err := journal.CheckDSN(c.Store); err != nil {
		complain("$.store", err.Error(), "sqlite:legate.db")
		hide(&out[len(out)-1], c.Store) // it may hold a password
	}
	if c.Voter != nil && (whole || c.Voter.Key != "") {
		if err := signer.CheckRef(c.Voter.Key); err != nil {
			complain(strict.Path("voter", "key"), err.Error(), "")
			hide(&out[len(out)-1], c.Voter.Key) // it may be the key itself
		}
	}
	token := "" // that there is one is enough here
	if !c.Web.Token.IsZero() || !whole {
		token = "some"
	}
	if err := web.Guard(c.Web.Listen, token); err != nil {
		complain(strict.Path("web", "listen"), err.Error(), "token: env:LEGATE_WEB_TOKEN, or 127.0.0.1:8645")
	}
	for name, chain := range c.Chains {
		at := strict.Path("chains", name)
		if _, err := gov.ParseChainID(name); err != nil {
			complain(at, err.Error(), "")
		}
		if len(chain.RPC) == 0 && whole {
			complain(at, "a chain needs at least one rpc endpoint", "")
		}
		if chain.Agree > len(chain.RPC) && whole {
			complain(strict.Path("chains", name, "agree"), fmt.Sprintf("agree is %d, but there are %d endpoints", chain.Agree, len(chain.RPC)), "")
		}
	}
	if len(c.Governors) == 0 && whole {
		complain("$.governors", "there is no governor to watch", "")
	}
	names, addresses := map[string]bool{}, map[string]bool{}
	for i, g := range c.Governors {
		if names[g.Name] {
			complain(strict.Path("governors", i, "name"), fmt.Sprintf("two governors are named %q", g.Name), "")
		}
		if addresses[g.Address.String()] {
			complain(strict.Path("governors", i, "address"), "this governor is listed twice", "")
		}
		names[g.Name], addresses[g.Address.String()] = true, true
		if !plainName(g.Name) {
			complain(strict.Path("governors", i, "name"), fmt.Sprintf("%q cannot be a name: letters, digits, - and _, at most 40", g.Name), "")
		}
		if _, ok := c.Chains[string(g.Address.Chain)]; !ok && (whole || len(c.Chains) > 0 && g.Address.Chain != "") {
			complain(strict.Path("governors", i, "address"), fmt.Sprintf("chain %s is not among chains", g.Address.Chain), "")
		}
		g.Outlook.check(func(key, message, hint string) {
			at := strict.Path("governors", i, "outlook")
			if key != "" {
				at = strict.Path("governors", i, "outlook", key)
			}
			complain(at, message, hint)
		})
	}
	c.Model.check(func(key, message, hint string) { complain(strict.Path("model", key), message, hint) })
	return append(out, c.checkAlerts(c.AlertsConfig)...)
}

// hide masks a value in the excerpt of a problem.
func hide(p *strict.Problem, value string) {
	if value != "" {
		p.Excerpt = strings.ReplaceAll(p.Excerpt, value, strings.Repeat("*", len([]rune(value))))
	}
}

func plainName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// file is a path of the configuration, relative to its folder.
func (c Config) file(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.dir(), path)
}

func (c Config) dir() string { return filepath.Dir(c.path) }

// agree is how many endpoints must give the same answer: 1 with one endpoint, else 2.
func (c ChainConfig) agree() int {
	if c.Agree > 0 {
		return c.Agree
	}
	return min(2, len(c.RPC))
}

// rpcConfig resolves the endpoints of a chain.
func (c Config) rpcConfig(name string) (rpc.Config, error) {
	chain := c.Chains[name]
	id, err := gov.ParseChainID(name)
	if err != nil {
		return rpc.Config{}, err
	}
	out := rpc.Config{ChainID: uint64(id), Agree: chain.agree(), Finality: chain.Finality.Finality}
	for i, e := range chain.RPC {
		var ep rpc.Endpoint
		if ep.HTTP, err = e.HTTP.Resolve(c.dir()); err != nil {
			return out, fmt.Errorf("%s: chains.%s.rpc[%d]: %w", c.path, name, i, err)
		}
		if !e.WS.IsZero() {
			if ep.WS, err = e.WS.Resolve(c.dir()); err != nil {
				return out, fmt.Errorf("%s: chains.%s.rpc[%d].ws: %w", c.path, name, i, err)
			}
		}
		out.Endpoints = append(out.Endpoints, ep)
	}
	return out, nil
}

// governor is the configuration of a governor by its address.
func (c Config) governor(id gov.ProposalID) (GovernorConfig, bool) {
	for _, g := range c.Governors {
		if g.Address.Chain.ID() == uint64(id.Chain) && gov.Address(g.Address.Address.Address) == id.Governor {
			return g, true
		}
	}
	return GovernorConfig{}, false
}

// maxFee is max_fee_gwei in wei.
func (v VoterConfig) maxFee() gov.Amount {
	wei, err := gov.ParseAmount(strconv.FormatUint(uint64(math.Round(v.MaxFeeGwei*1e9)), 10))
	if err != nil {
		return gov.Amount{}
	}
	return wei
}

func (c Config) caps() gov.Caps {
	return gov.Caps{OutflowUSD: c.Caps.OutflowUSD, OutflowBps: c.Caps.OutflowBps}
}
