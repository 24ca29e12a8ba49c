// Package taintwall holds promise G23 over the whole module: which package may import which, that nothing which
// decides or signs can reach a package that reads strangers' texts, and that a stranger's text becomes a plain
// string in a listed set of places only. It has tests and nothing else.
package taintwall

// module is the prefix of our own packages.
const module = "github.com/legate-dao/legate/"

// anything stands for every package of ours but the commands.
const anything = "*"

// mayImport is the import column of the table of packages (docs/development.md): what each package may import of
// ours. A package that is not here fails the test, so that a new one is thought about; one that is not there yet
// does no harm.
var mayImport = map[string][]string{
	"agent/gov":       {},
	"agent/dossier":   {"agent/gov"},
	"agent":           {"agent/gov", "agent/dossier", "agent/checks", "chains/quorum"}, // the findings of what it has gathered; its ports take agreed answers
	"agent/jobs":      {"agent", "agent/gov", "agent/dossier", "agent/journal", "agent/fsfault", "agent/supervise"},
	"agent/journal":   {"agent/gov", "agent/dossier", "agent/fsfault", "agent/supervise"},
	"agent/supervise": {}, // makes panics errors, and keeps parts going; knows nothing of what they do
	"agent/fsfault":   {}, // what a full disk is, for the two that write what is signed
	"agent/checks":    {"agent/gov", "agent/impact"},
	"agent/impact":    {"agent/gov"},
	"agent/screen":    {"agent/gov", "agent/dossier", "policies"},
	"agent/brief":     {"agent/gov", "agent/dossier"},
	"agent/judge":     {"agent/gov", "agent/llm"},
	"agent/llm":       {"agent/supervise"},
	"agent/risk":      {"agent/gov", "policies"},
	"agent/approval":  {"agent/gov"},
	"agent/audit":     {"agent/gov", "agent/dossier", "agent/checks", "policies"},
	"agent/report":    {"agent/gov", "agent/dossier", "agent/checks", "policies"},
	"agent/agenttest": {anything},

	"policies":        {"agent/gov", "agent/checks", "agent/impact", "policies/strict", "policies/trial"},
	"policies/trial":  {"agent/gov", "agent/impact"}, // proposals of our own making, for lint and `policy try`
	"policies/strict": {},

	"simulators":     {"agent/gov", "simulators/mc"},
	"simulators/mc":  {"agent/supervise"},
	"simulators/fit": {"agent/gov", "simulators", "simulators/mc", "agent/supervise"},

	"chains":                 {"agent/gov", "agent/dossier", "chains/governor", "chains/quorum", "chains/rpc", "agent/supervise"},
	"chains/rpc":             {"agent/supervise"},
	"chains/quorum":          {"chains/rpc", "agent/supervise"},
	"chains/governor":        {"agent/gov", "agent/dossier", "chains/rpc", "chains/governor/ballot", "chains/fork"}, // implements fork's Lifecycle
	"chains/governor/ballot": {"agent/gov"},
	"chains/book":            {"agent/gov", "agent/impact", "policies/strict", "chains/rpc"}, // asks the chain for `book add` and `book diff`
	"chains/facts":           {"agent/gov", "agent/dossier", "agent/checks", "agent/impact", "chains/governor", "chains/book", "chains/rpc", "chains/fork"},
	"chains/fork":            {"agent/gov", "agent/dossier", "chains/rpc"},
	"chains/signer":          {"agent/gov", "agent/checks", "policies", "simulators", "agent/approval", "chains/governor/ballot", "chains/ledger"},
	"chains/ledger":          {"agent/gov", "agent/fsfault"},
	"chains/sender":          {"agent/gov", "chains/quorum", "chains/rpc", "chains/governor/ballot", "agent/supervise"},
	"chains/devchain":        {},
	"chains/chaintest":       {"chains/rpc"},

	"notify/discordtest": {}, // a stand-in for Discord, for tests
	"notify":             {"agent/gov", "agent/dossier", "agent/supervise", "notify/chart"},
	"notify/chart":       {"agent/gov"},
	"notify/web":         {"agent/gov", "agent/dossier", "agent/supervise", "notify/chart"},

	"cmd/legate": {anything},
}

// walled are the packages that decide, find, sign or say what may be signed, and what all of them stand on.
var walled = []string{
	"agent/gov", "agent/impact", "agent/fsfault", "agent/checks", "agent/approval", "agent/risk", "policies", "policies/strict", "policies/trial", "simulators", "simulators/mc",
	"chains/book", "chains/governor/ballot", "chains/ledger", "chains/signer",
}

// beyond are the packages on the other side: they hold, read or write strangers' texts, or speak with models.
var beyond = []string{
	"agent/dossier", "agent/screen", "agent/brief", "agent/judge", "agent/llm", "agent/journal", "agent/jobs", "agent", "agent/report", "agent/audit",
	"notify", "notify/chart", "notify/web",
}

// modelPackages are foreign packages that speak with models or read prose.
var modelPackages = []string{
	"github.com/tmc/langchaingo", "github.com/ollama", "github.com/openai", "github.com/sashabaranov", "github.com/anthropics", "github.com/yuin/goldmark",
}
