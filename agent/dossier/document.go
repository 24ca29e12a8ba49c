package dossier

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// Version is the version of the JSON documents.
const Version = 1

// Document is the dossier as programs read it (FORMATS, "Dossier").
type Document struct {
	Version     int             `json:"version"`
	ID          gov.ProposalID  `json:"id"`
	Handle      string          `json:"handle"`
	Provisional bool            `json:"provisional"`
	Proposal    ProposalDoc     `json:"proposal"`
	Text        Text            `json:"text"`
	Facts       json.RawMessage `json:"facts"`
	Findings    []gov.Finding   `json:"findings"`
	Outlook     OutlookDoc      `json:"outlook"`
	Forecast    *gov.Forecast   `json:"forecast"`
	Brief       *Brief          `json:"brief"`
	Claims      []Claim         `json:"claims"`
	Verdict     *VerdictDoc     `json:"verdict"`
	Vote        *VoteDoc        `json:"vote"`
	Records     []Meta          `json:"records"`
}

// ProposalDoc is the proposal part of a document.
type ProposalDoc struct {
	Governor        string       `json:"governor"`
	Name            gov.Label    `json:"name"`
	Flavour         gov.Flavour  `json:"flavour"`
	Number          gov.Amount   `json:"number"`
	Proposer        gov.Address  `json:"proposer"`
	Created         gov.Block    `json:"created"`
	Clock           gov.Clock    `json:"clock"`
	Starts          gov.Clocks   `json:"starts"`
	Ends            gov.Clocks   `json:"ends"`
	EndsAt          gov.UnixTime `json:"ends_at"`
	State           gov.State    `json:"state"`
	Stage           Stage        `json:"stage"`
	Actions         []ActionDoc  `json:"actions"`
	ContentHash     gov.Hash     `json:"content_hash"`
	DescriptionHash gov.Hash     `json:"description_hash"`
	Draft           bool         `json:"draft,omitempty"`
	TooLarge        bool         `json:"too_large,omitempty"`
}

// OutlookDoc is the outlook with the proposal, null where no policy reads it; beside it the one without the proposal on
// the same random numbers, and what could not be had. A decision reads the former only.
type OutlookDoc struct {
	gov.Outlook
	Without *gov.Outlook        `json:"without,omitempty"`
	Missing []gov.Missing       `json:"missing,omitempty"`
	Engine  *gov.ForecastEngine `json:"engine,omitempty"`
}

// OutlookDoc is the outlook for a document.
func (g Gathered) OutlookDoc() OutlookDoc {
	if g.Outlook == nil {
		return OutlookDoc{}
	}
	o := *g.Outlook
	return OutlookDoc{Outlook: o.With, Without: &o.Without, Missing: o.Missing, Engine: &o.Engine}
}

// ActionDoc is an action as the chain stores it: with a signature the calldata has no selector.
type ActionDoc struct {
	To        gov.Address  `json:"to"`
	Value     gov.Amount   `json:"value"`
	Signature Untrusted    `json:"signature"`
	Calldata  gov.Calldata `json:"calldata"`
}

// VerdictDoc is the verdict with its gate.
type VerdictDoc struct {
	gov.Verdict
	Final gov.Direction      `json:"final"`
	Gate  *GateDoc           `json:"gate"`
	Judge []gov.ClauseAnswer `json:"judge"`
}

// GateDoc is the gate's answer, with what a model said of the texts where one was asked.
type GateDoc struct {
	gov.Gated
	Model *GateModel `json:"model,omitempty"`
}

// VoteDoc is our vote as programs read it.
type VoteDoc struct {
	Status   gov.VoteStatus        `json:"status"`
	Support  *string               `json:"support"`
	Code     *gov.Support          `json:"code"`
	By       *gov.By               `json:"by"`
	Approval *gov.Approval         `json:"approval"`
	Voter    *gov.Address          `json:"voter"`
	Power    gov.Maybe[gov.Amount] `json:"power"`
	Tx       *gov.Hash             `json:"tx"`
	Block    *uint64               `json:"block"`
	Reason   string                `json:"reason"`
}

// Document renders the dossier; handle is its short name.
func (d Dossier) Document(handle string) (Document, error) {
	doc := Document{
		Version: Version, ID: d.ID(), Handle: handle, Provisional: d.Provisional,
		Proposal: d.proposalDoc(), Text: d.Text, Findings: d.allFindings(), Claims: []Claim{},
		Brief: d.Brief, Forecast: d.Forecast, Verdict: d.VerdictDoc(), Vote: d.VoteDoc(), Records: slices.Clone(d.Records),
	}
	if doc.Text.Flags == nil {
		doc.Text.Flags = []gov.Flag{}
	}
	if d.Gathered != nil {
		doc.Outlook = d.Gathered.OutlookDoc()
	}
	if d.Gate != nil {
		doc.Text.Flags = d.Gate.Reading.Text.Flags.Or(doc.Text.Flags)
		doc.Claims = append(doc.Claims, d.Gate.Claims...)
	}
	if doc.Records == nil {
		doc.Records = []Meta{}
	}
	var err error
	doc.Facts, err = d.factsDoc()
	return doc, err
}

func (d Dossier) allFindings() []gov.Finding {
	out := []gov.Finding{}
	if d.Gathered != nil {
		out = append(out, d.Gathered.Findings...)
	}
	if d.Gate != nil {
		out = append(out, d.Gate.Findings...)
	}
	return out
}

func (d Dossier) proposalDoc() ProposalDoc {
	p := d.Proposal
	doc := ProposalDoc{
		Governor: p.ID.Chain.String() + ":" + p.ID.Governor.Hex(), Name: p.Name, Flavour: p.Flavour, Number: p.ID.Number,
		Proposer: p.Proposer, Created: p.Created, Clock: p.Clock, Starts: p.Starts, Ends: p.Ends, EndsAt: d.EndsAt(),
		State: p.State, Stage: d.Stage, Actions: []ActionDoc{}, ContentHash: p.ContentHash, DescriptionHash: p.DescriptionHash, Draft: p.Draft,
		TooLarge: p.TooLarge,
	}
	for i, a := range p.Actions {
		ad := ActionDoc{To: a.To, Value: a.Value, Calldata: a.Calldata}
		if a.Signed && i < len(d.Shown.Signatures) {
			ad.Signature = d.Shown.Signatures[i]
			ad.Calldata = gov.CalldataOf(a.Calldata.Bytes()[min(4, a.Calldata.Len()):])
		}
		doc.Actions = append(doc.Actions, ad)
	}
	return doc
}

// VerdictDoc is the verdict for a document; nil before one.
func (d Dossier) VerdictDoc() *VerdictDoc {
	if d.Verdict == nil {
		return nil
	}
	doc := &VerdictDoc{Verdict: *d.Verdict, Final: d.Final(), Judge: []gov.ClauseAnswer{}}
	if d.Gate != nil {
		doc.Gate = &GateDoc{d.Gate.Gate, d.Gate.Model}
		if doc.Gate.Reasons == nil {
			doc.Gate.Reasons = []gov.HoldReason{}
		}
	}
	return doc
}

// VoteDoc is the vote for a document; nil before a status.
func (d Dossier) VoteDoc() *VoteDoc {
	v := d.Vote
	if v.Status == gov.VoteNone {
		return nil
	}
	doc := &VoteDoc{Status: v.Status, Approval: v.Approval, Power: v.Power, Reason: string(v.Reason)}
	if d.Approval != nil && doc.Approval == nil {
		doc.Approval = d.Approval
	}
	if !v.Status.Bound() {
		return doc
	}
	b := v.Ballot
	support := b.Support.String()
	doc.Support, doc.Code, doc.By, doc.Voter = &support, &b.Support, &b.Reason.By, &b.Voter
	doc.Reason = b.Reason.Text(b.Support)
	if v.Tx != (gov.Hash{}) {
		doc.Tx = &v.Tx
	}
	if v.Block.Number > 0 {
		doc.Block = &v.Block.Number
	}
	return doc
}

// factsDoc is the facts with digest, basis and context, and with what is joined in for display.
func (d Dossier) factsDoc() (json.RawMessage, error) {
	if d.Gathered == nil {
		return json.RawMessage("null"), nil
	}
	g := *d.Gathered
	base, err := json.Marshal(g.Facts)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(base, &m); err != nil {
		return nil, err
	}
	put := func(key string, v any) {
		b, e := json.Marshal(v)
		if e != nil && err == nil {
			err = fmt.Errorf("encode facts.%s: %w", key, e)
		}
		m[key] = b
	}
	put("digest", g.Digest)
	put("basis", g.Basis)
	put("context", d.Context())
	if calls, ok := g.Facts.Calls.Get(); ok {
		put("calls", CallDocs(calls, d.Shown, ""))
	}
	var effects map[string]json.RawMessage
	if err := json.Unmarshal(m["effects"], &effects); err != nil {
		return nil, err
	}
	if effects["reason"], err = json.Marshal(d.Shown.RevertReason); err != nil {
		return nil, err
	}
	put("effects", effects)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// CallDoc is a call with what is joined in for display: candidates of the 4-byte table with the
// arguments they give, and string and bytes arguments in full.
type CallDoc struct {
	gov.Call
	Args          []ArgDoc    `json:"args"`
	Children      []CallDoc   `json:"children"`
	Candidates    []Untrusted `json:"candidates"`
	CandidateArgs []ShownArg  `json:"candidate_args,omitempty"`
}

// ArgDoc is an argument whose value may be shown in full.
type ArgDoc struct {
	Name  gov.Ident   `json:"name"`
	Type  gov.ABIType `json:"type"`
	Value any         `json:"value"`
}

// CallDocs joins a tree of calls with what is shown of it. path is that of the parent, "" at the top.
func CallDocs(calls []gov.Call, shown Shown, path string) []CallDoc {
	out := []CallDoc{}
	for i, c := range calls {
		at := strings.TrimPrefix(path+"."+strconv.Itoa(i), ".")
		s := shown.Calls[at]
		doc := CallDoc{Call: c, Args: []ArgDoc{}, Candidates: s.Candidates, Children: CallDocs(c.Children, shown, at)}
		if doc.Candidates == nil {
			doc.Candidates = []Untrusted{}
		}
		if c.Signature == "" {
			doc.CandidateArgs = s.Args
		}
		for k, a := range c.Args {
			arg := ArgDoc{a.Name, a.Type, argValue(a)}
			if c.Signature != "" && k < len(s.Args) {
				arg.Value = s.Args[k].Value
			}
			doc.Args = append(doc.Args, arg)
		}
		out = append(out, doc)
	}
	return out
}

func argValue(a gov.Arg) any {
	b, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	var v struct {
		Value json.RawMessage `json:"value"`
	}
	if json.Unmarshal(b, &v) != nil {
		return nil
	}
	return v.Value
}

// ReadDocument reads a stored dossier. Findings, verdict and vote in it are ignored; hashes and digests
// are computed again by whoever decides. It is bounded to 32 MiB.
func ReadDocument(b []byte) (Document, Gathered, error) {
	const limit = 32 << 20
	var doc Document
	var g Gathered
	if len(b) > limit {
		return doc, g, fmt.Errorf("dossier of %d bytes is over the limit of %d", len(b), limit)
	}
	b, err := decisive(b)
	if err != nil {
		return doc, g, fmt.Errorf("read dossier: %w", err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return doc, g, fmt.Errorf("read dossier: %w", err)
	}
	if doc.Version != Version {
		return doc, g, fmt.Errorf("dossier has version %d, this program reads %d", doc.Version, Version)
	}
	var facts struct {
		gov.Facts
		Context gov.Context `json:"context"`
	}
	if len(doc.Facts) > 0 {
		if err := json.Unmarshal(doc.Facts, &facts); err != nil {
			return doc, g, fmt.Errorf("read dossier: facts: %w", err)
		}
	}
	var parts struct {
		Effects *struct{} `json:"effects"`
	}
	if len(doc.Facts) > 0 {
		if err := json.Unmarshal(doc.Facts, &parts); err != nil {
			return doc, g, fmt.Errorf("read dossier: facts: %w", err)
		}
	}
	if parts.Effects == nil {
		facts.Effects.Status = gov.Known(gov.EffectsUnavailable)
	}
	kinds, unknown := facts.Kinds, facts.UnknownCalls
	facts.Facts.Finish()
	if !facts.Calls.IsKnown() {
		facts.Kinds = kinds // the selectors say it, also where the code behind the calls could not be read
	}
	keepStored(&facts.Facts, kinds, unknown)
	if calls, ok := facts.Calls.Get(); ok {
		dropNames(calls)
	}
	g.Facts, g.Context = facts.Facts, facts.Context
	g.Digest, err = g.Facts.Digest()
	return doc, g, err
}

// decisive drops from a document what is joined in for display, or computed again, and has another shape than ours:
// nothing that is not read may keep a decision from being made. What decides is left as it is, but for nulls of the
// proposal, which stand for what is not known of it.
func decisive(b []byte) ([]byte, error) {
	var doc, facts, proposal map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	dropMisshapen(doc, map[string]fit{
		"handle": fits[string], "provisional": fits[bool], "findings": fits[[]gov.Finding], "forecast": fits[gov.Forecast], "brief": fits[Brief],
		"claims": fits[[]Claim], "verdict": fits[VerdictDoc], "vote": fits[VoteDoc], "records": fits[[]Meta],
	})
	var err error
	if json.Unmarshal(doc["facts"], &facts) == nil && facts != nil {
		dropMisshapen(facts, map[string]fit{"context": fits[gov.Context], "digest": fits[gov.Digest], "basis": fits[gov.Digest]})
		if doc["facts"], err = json.Marshal(facts); err != nil {
			return nil, err
		}
	}
	if json.Unmarshal(doc["proposal"], &proposal) == nil && proposal != nil {
		var created map[string]json.RawMessage
		if json.Unmarshal(proposal["created"], &created) == nil && created != nil {
			dropNulls(created)
			if proposal["created"], err = json.Marshal(created); err != nil {
				return nil, err
			}
		}
		dropNulls(proposal)
		if doc["proposal"], err = json.Marshal(proposal); err != nil {
			return nil, err
		}
	}
	return json.Marshal(doc)
}

// fit says whether a part has a shape.
type fit func(json.RawMessage) bool

func fits[T any](part json.RawMessage) bool { return json.Unmarshal(part, new(T)) == nil }

func dropMisshapen(parts map[string]json.RawMessage, shapes map[string]fit) {
	for name, fits := range shapes {
		if part, ok := parts[name]; ok && !fits(part) {
			delete(parts, name)
		}
	}
}

func dropNulls(parts map[string]json.RawMessage) {
	for name, part := range parts {
		if string(part) == "null" {
			delete(parts, name)
		}
	}
}

// dropNames forgets the signature of a call that is not known where it is not even the selector's own: somebody's words
// in place of a name, which no rule may read.
func dropNames(calls []gov.Call) {
	for i := range calls {
		c := &calls[i]
		if !c.Known && c.Signature != "" && (c.Selector == nil || !bytes.Equal(crypto.Keccak256([]byte(c.Signature))[:len(c.Selector)], c.Selector[:])) {
			c.Signature = ""
		}
		dropNames(c.Children)
	}
}

// keepStored adds what a file says of kinds and unknown calls to what follows from its calls. The calls are believed
// where they say more; where the file says more, it may be that somebody left calls out.
func keepStored(f *gov.Facts, stored gov.Maybe[[]gov.Kind], unknown gov.Maybe[int64]) {
	if kinds, _ := f.Kinds.Get(); len(kinds) > 0 {
		for _, k := range stored.Or(nil) {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
		f.Kinds = gov.Known(kinds)
	}
	if n, ok := f.UnknownCalls.Get(); ok {
		f.UnknownCalls = gov.Known(max(n, unknown.Or(0)))
	}
}

// Case is what a document says to a policy.
func (doc Document) Case(facts gov.Facts) (gov.Case, error) {
	p := doc.Proposal
	out := gov.Proposal{
		ID: doc.ID, Name: p.Name, Flavour: p.Flavour, Proposer: p.Proposer, Created: p.Created, Clock: p.Clock,
		Starts: p.Starts, Ends: p.Ends, EndsAt: p.EndsAt, State: p.State, DescriptionHash: p.DescriptionHash,
		ContentHash: p.ContentHash, Draft: p.Draft, TooLarge: p.TooLarge,
	}
	for i, a := range p.Actions {
		action, err := a.Action()
		if err != nil {
			return gov.Case{}, fmt.Errorf("action %d: %w", i, err)
		}
		out.Actions = append(out.Actions, action)
	}
	return gov.Case{Proposal: out, Facts: facts, Outlook: doc.Outlook.Outlook}, nil
}
