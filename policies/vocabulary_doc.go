package policies

import (
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/legate-dao/legate/agent/gov"
)

// FactDoc is one line of the vocabulary: `legate policy facts` and docs/facts.md are made from it.
type FactDoc struct {
	Path string // `treasury.outflows[].usd`
	Type string // int, double, bool, string, amount, list; with the words of an enum
	Unit string
	// Class is content, context or text; only content facts can be read by rules.
	Class gov.Class
	// Unknown says when the fact is missing.
	Unknown string
	// Later: not in this release, does not compile.
	Later bool
}

// Facts lists everything that an expression can read, in the order of the formats' table.
func Facts() []FactDoc {
	var out []FactDoc
	for _, root := range []string{
		"proposal", "kinds", "calls", "unknown_calls", "effects", "treasury", "supply", "roles", "timelock", "governor", "upgrades", "params", "bridge", "targets", "impacts",
		"outlook", "context", "text", "brief",
	} {
		if i, ok := holdEnv.root.index[root]; ok {
			out = appendDocs(out, root, &holdEnv.root.fields[i])
		}
		for _, later := range sortedKeys(laterNames) {
			if later == root || strings.HasPrefix(later, root+".") {
				out = append(out, FactDoc{Path: later, Class: classOf(later), Unknown: "not in this release", Later: true})
			}
		}
	}
	return append(out, FactDoc{Path: `metrics["name"]`, Type: "double", Unit: "the metric's", Class: gov.ClassContent, Unknown: "the number could not be read; emergency rules only"})
}

func appendDocs(out []FactDoc, path string, f *field) []FactDoc {
	if f.list {
		path += "[]"
	}
	if f.object == nil {
		return append(out, FactDoc{Path: path, Type: docType(f), Unit: unitOf(path), Class: classOf(path), Unknown: unknownWhen(path, f.goType)})
	}
	for i := range f.object.fields {
		out = appendDocs(out, path+"."+f.object.fields[i].name, &f.object.fields[i])
	}
	return out
}

func docType(f *field) string {
	t := f.typ
	if f.list {
		t = t.Parameters()[0]
	}
	name := t.String()
	switch {
	case len(f.enum) > 0:
		name = "string: " + strings.Join(f.enum, " ")
	case f.addr:
		name = "string: address"
	case t.Kind() == types.OpaqueKind:
		name = "amount"
	}
	if f.list {
		return "list of " + name
	}
	return name
}

func classOf(path string) gov.Class {
	switch root, _, _ := strings.Cut(path, "."); root {
	case "context":
		return gov.ClassContext
	case "text", "brief":
		return gov.ClassText
	}
	return gov.ClassContent
}

// units of the numbers whose name does not end in its unit.
var units = map[string]string{
	"proposal.actions": "count", "unknown_calls": "count", "calls.value_eth": "whole native coin", "calls.depth": "0 outermost", "effects.gas": "gas",
	"treasury.allowances": "count, raised or used", "treasury.allowances_outside": "count, raised or used", "treasury.recipients_new": "count",
	"treasury.outflows.amount": "smallest unit of the token", "supply.minters_added": "count", "treasury.value_usd": "USD", "treasury.outflow_usd": "USD",
	"treasury.outflow_bps": "basis points of treasury.value_usd", "treasury.outflows.usd": "USD", "treasury.outflows.bps": "basis points of treasury.value_usd",
	"supply.minted_bps": "basis points of the supply before", "supply.burned_bps": "basis points of the supply before",
	"roles.granted": "count", "roles.granted_outside": "count", "roles.revoked": "count", "roles.owner_changed": "count", "roles.admin_changed": "count",
	"timelock.delay_before": "seconds", "timelock.delay_after": "seconds", "timelock.roles_changed": "count",
	"governor.quorum.before": "whole tokens", "governor.quorum.after": "whole tokens", "governor.threshold.before": "whole tokens", "governor.threshold.after": "whole tokens",
	"governor.delay.before": "governor's clock", "governor.delay.after": "governor's clock", "governor.period.before": "governor's clock", "governor.period.after": "governor's clock",
	"impacts.amount": "smallest unit of the asset; else the number that is set", "impacts.id": "of one token of a collection", "impacts.usd": "USD", "impacts.bps": "basis points of treasury.value_usd",
	"impacts.right": "which right; empty for none", "impacts.role": "the contract's own name of the right", "impacts.param": "the setter's signature; empty for none",
	"impacts.declared": "paths of calls, such as 0.1", "params.before": "the parameter's", "params.after": "the parameter's", "params.change_bps": "basis points of before",
	"targets.fresh": "count, deployed < 30 days before", "targets.codeless": "count", "targets.proxy": "count", "targets.eoa": "count, codeless with nonce > 0",
	"context.tally.for": "smallest unit of the token", "context.tally.against": "smallest unit of the token", "context.tally.abstain": "smallest unit of the token",
	"context.quorum.needed": "smallest unit of the token", "context.turnout": "0..1 of the supply at the snapshot", "context.voter.power": "smallest unit of the token",
	"context.voter.share": "0..1 of the supply at the snapshot", "text.length": "bytes",
	"context.forecast.pass": "0..1, a chance", "context.forecast.quorum": "0..1, a chance",
	"outlook.treasury.runway_days": "days from the facts' block, at most the horizon", "outlook.treasury.value_usd": "USD at the horizon",
	"outlook.dilution": "0..1 of a holder's share, at the horizon", "outlook.collateral.bad_debt_usd": "USD",
}

// unitOf is the unit at a path; quantiles have that of their distribution.
func unitOf(path string) string {
	path = strings.ReplaceAll(path, "[]", "")
	if unit, ok := units[path]; ok {
		return unit
	}
	if of, quantile, ok := cutLast(path); ok && slices.Contains([]string{"p05", "p50", "p95", "p99"}, quantile) {
		return units[of]
	}
	return ""
}

func cutLast(path string) (before, last string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

// unknownWhen says when a fact is missing, by what it takes to know it.
func unknownWhen(path string, t reflect.Type) string {
	root, rest, _ := strings.Cut(path, ".")
	root = strings.TrimSuffix(root, "[]")
	switch {
	case path == "proposal.actions":
		return "the proposal is too large for its actions to be kept"
	case root == "proposal":
		return "never"
	case path == "effects.status":
		return "the dry run is unavailable"
	case strings.HasPrefix(path, "outlook.collateral"):
		return "always: nobody's positions are known yet"
	case strings.HasPrefix(path, "outlook.treasury.value_usd"):
		return "the run did not execute, or an asset that is held or moves has no price"
	case strings.HasPrefix(path, "outlook.treasury.runway_days"):
		return "as outlook.treasury.value_usd, or the governor's outlook has no flow_usd_per_day"
	case strings.HasPrefix(path, "outlook.dilution"):
		return "as outlook.treasury.runway_days, or the supply is not known, or minters are added or the cap is raised"
	case strings.HasPrefix(path, "context.forecast"):
		return "there is no forecast yet"
	case path == "treasury.value_usd":
		return "a holding has no price, or a read failed"
	case path == "treasury.recipients_new":
		return "the run did not execute, or earlier proposals could not be decoded"
	case strings.HasSuffix(path, "_usd"), strings.HasSuffix(path, ".usd"):
		return "the run did not execute, or an asset that moves has no price"
	case strings.HasSuffix(path, "outflow_bps"), strings.HasSuffix(path, ".bps"):
		return "the run did not execute, or an asset that moves has no price"
	case strings.HasSuffix(path, "before") && slices.Contains([]string{"timelock", "governor"}, root), strings.HasSuffix(path, ".before.") && rest != "":
		return "the read failed"
	case slices.Contains([]string{"effects", "treasury", "supply", "roles", "timelock", "governor", "upgrades"}, root):
		return "the run did not execute, or a read failed"
	case root == "impacts":
		switch rest {
		case "asset", "id", "amount":
			return "the run did not execute, or the impact is about none"
		}
		return "the run did not execute, or the calls could not be decoded"
	case root == "params":
		if strings.HasPrefix(t.Name(), "Maybe[") && !strings.HasSuffix(path, ".before") {
			return "the run did not execute, or a read failed"
		}
		return "the calls could not be decoded, or a read failed"
	case root == "kinds", root == "calls", root == "unknown_calls":
		return "the calls could not be decoded"
	case root == "targets":
		return "code could not be read"
	case root == "brief":
		return "there is no brief yet"
	case root == "text":
		return "the text was not read"
	}
	return "the read failed"
}

// FunctionDoc is one function of the language.
type FunctionDoc struct{ Form, Text string }

// Functions lists the functions of the language beside CEL's operators and list macros.
func Functions() []FunctionDoc {
	return []FunctionDoc{
		{`found("roles")`, "true when the check found something, at any severity, also from the decoded calls alone; false when it ran in full and found nothing or does not apply; else unknown"},
		{`clean("upgrade", …), clean()`, "none of the named checks, or none of the required ones, found anything; unknown as found"},
		{`clean_but("outflow")`, "none of the required checks but the named found anything; unknown as found"},
		{`only("transfer", …)`, "there is at least one kind of call and all are among these"},
		{`only("pays", …)`, "there is at least one impact and the kinds of all are among these; unknown as impacts"},
		{`amount("1.5 ETH")`, "a 256-bit number: a whole number, or a decimal with ETH, gwei or wei"},
		{`size(list), list.all(x, …), exists, exists_one, map, filter, x in list`, "as in CEL"},
		{`text.contains("…"), startsWith, endsWith`, "as in CEL"},
	}
}
