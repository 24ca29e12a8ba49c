package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// newDoctor looks at everything that a daemon needs.
func newDoctor() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at everything that a daemon needs, and say what is wrong and what to do",
		Long: "Checks configuration, store, disk, policies, endpoints, finality, clocks, governors, delegations, key, ledger,\n" +
			"books, prices, watched numbers, channels, model and the API's address, one line each. It changes nothing,\n" +
			"posts nothing, and works while the daemon runs.\n" +
			"Exit status 1 when something is wrong; a warning alone is 0.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := readBounded(config, 4*strict.MaxBytes)
			if err != nil {
				return fmt.Errorf("read the configuration: %w; docs/legate.example.yaml explains it", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorTimeout)
			defer cancel()
			doc := examine(ctx, config, text)
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), doc)
			} else {
				err = printText(cmd.OutOrStdout(), doctorText(doc))
			}
			if err == nil && !doc.OK {
				err = errNo
			}
			return err
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	return c
}

// doctorTimeout bounds the whole examination; endpoints that hang cost a part of it.
const doctorTimeout = 2 * time.Minute

// condition is how a part is.
type condition string

const (
	isFine     condition = "ok"
	isDoubtful condition = "warning"
	isWrong    condition = "wrong"
	isUnknown  condition = "not_checked" // something that it needs is wrong
)

// symptom is one line of the doctor.
type symptom struct {
	Part   string    `json:"part"`
	Status condition `json:"status"`
	What   string    `json:"what"`
	Do     string    `json:"do"`
}

// doctorDocument is that of `doctor --json`. OK says that nothing is wrong.
type doctorDocument struct {
	Version int       `json:"version"`
	OK      bool      `json:"ok"`
	Checks  []symptom `json:"checks"`
}

// doctor examines one configuration.
type doctor struct {
	conf    Config
	set     *policies.Set // nil where the policies are wrong
	voter   gov.Address   // zero where it is not known
	running bool          // a daemon has the store
	chains  map[gov.ChainID]*patient
	lines   []symptom
}

// examine makes all checks, each of which says what it could not look at.
func examine(ctx context.Context, path string, text []byte) doctorDocument {
	d := &doctor{chains: map[gov.ChainID]*patient{}}
	if d.config(path, text) {
		d.store(ctx)
		d.disk()
		d.policies()
		d.key(ctx)
		d.ledger(ctx)
		for _, name := range sortedKeys(d.conf.Chains) {
			d.chain(ctx, name)
		}
		for _, g := range d.conf.Governors {
			d.governor(ctx, g)
		}
		d.metrics(ctx)
		d.notifies(ctx)
		d.model(ctx)
		d.web(ctx)
		for _, p := range d.chains {
			p.client.Close()
		}
	}
	doc := doctorDocument{Version: 1, OK: true, Checks: d.lines}
	for _, l := range d.lines {
		if l.Status == isWrong {
			doc.OK = false
		}
	}
	return doc
}

// say adds a line. What is said may quote a node or a file.
func (d *doctor) say(part string, c condition, do, format string, a ...any) {
	what := dossier.Untrusted(fmt.Sprintf(format, a...)).Block(4000)
	d.lines = append(d.lines, symptom{Part: part, Status: c, What: what, Do: do})
}

// config reads the configuration, without which there is nothing else to look at.
func (d *doctor) config(path string, text []byte) bool {
	c, problems := parseConfig(path, text)
	if problems.HasErrors() {
		d.say("config", isWrong, "correct the file; docs/legate.example.yaml explains every key", "%s", problems.Detail())
		return false
	}
	d.conf = c
	for _, p := range problems {
		d.say("config", isDoubtful, p.Hint, "%s", p)
	}
	d.say("config", isFine, "", "%s: %s, %s", path, count(len(c.Chains), "chain"), count(len(c.Governors), "governor"))
	return true
}

// policies lints the policy file, and asks what the daemon asks of it.
func (d *doctor) policies() {
	path := d.conf.file(d.conf.Policies)
	set, problems, err := lintPolicies(d.conf)
	if err != nil {
		d.say("policies", isWrong, "name the file under policies:, policies.example.yaml is one to begin with", "%v", err)
		return
	}
	if problems.HasErrors() {
		d.say("policies", isWrong, "correct the file; `legate policy lint` shows the same", "%s", problems.Detail())
		return
	}
	if err := (voice{set: set}).check(d.conf); err != nil {
		d.say("policies", isWrong, "correct holders: in the policies, or governors: in the configuration", "%v", err)
		return
	}
	d.set = set
	if len(problems) > 0 {
		d.say("policies", isDoubtful, "look at the places; `legate policy lint` shows the same", "%s", problems.Detail())
		return
	}
	d.say("policies", isFine, "", "%s: %s", path, count(len(set.Holders()), "holder"))
}

func doctorText(doc doctorDocument) string {
	var r renderer
	counts := map[condition]int{}
	for _, l := range doc.Checks {
		counts[l.Status]++
		mark := map[condition]string{
			isFine: green.Render("ok     "), isDoubtful: yellow.Render("warning"), isWrong: red.Render("wrong  "), isUnknown: faint.Render("unknown"),
		}[l.Status]
		r.line("%s  %s: %s", mark, l.Part, strings.ReplaceAll(strings.TrimSpace(l.What), "\n", "\n           "))
		if l.Do != "" && l.Status != isFine {
			r.line("         → %s", l.Do)
		}
	}
	r.line("%s, %d wrong", count(counts[isDoubtful], "warning"), counts[isWrong])
	return r.String()
}
