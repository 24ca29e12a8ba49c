package journal

import (
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// provenance follows the records of one proposal and says what a signature lacks (G43): the facts, the
// decision and the gate's answer or the holder's that it stands on have to be on record before it.
type provenance struct {
	basis    map[gov.Digest]gov.Digest // of gathered facts, by their digest
	policies map[gov.Digest]bool       // that decided
	decided  map[gov.Digest]map[gov.Direction]bool
	passed   map[gov.Digest]bool // facts whose gate passed
	answers  []gov.Approval
	locked   *dossier.WasLocked
}

// see takes in the next event and lists what it lacks.
func (p *provenance) see(e dossier.Event) (lacks []string) {
	if p.basis == nil {
		*p = provenance{basis: map[gov.Digest]gov.Digest{}, policies: map[gov.Digest]bool{},
			decided: map[gov.Digest]map[gov.Direction]bool{}, passed: map[gov.Digest]bool{}}
	}
	switch e := e.(type) {
	case dossier.WasGathered:
		if got, err := e.Gathered.Facts.Digest(); err != nil || got != e.Gathered.Digest {
			lacks = append(lacks, fmt.Sprintf("the facts have digest %s, not %s", got, e.Gathered.Digest))
		}
		p.basis[e.Gathered.Digest] = e.Gathered.Basis
	case dossier.WasDecided:
		p.policies[e.Verdict.Policy] = true
		if p.decided[e.Verdict.Facts] == nil {
			p.decided[e.Verdict.Facts] = map[gov.Direction]bool{}
		}
		p.decided[e.Verdict.Facts][e.Verdict.Direction] = true
	case dossier.WasGated:
		if e.Gate.Result == gov.GatePass {
			p.passed[e.Facts] = true
		}
	case dossier.WasApproved:
		p.answers = append(p.answers, e.Approval)
	case dossier.WasLocked:
		p.locked = &e
		lacks = p.lacks(e)
	case dossier.WasReleased:
		p.locked = nil
	case dossier.WasSigned:
		if p.locked == nil {
			return []string{"a signature without its provenance record"}
		}
	}
	return lacks
}

func (p *provenance) lacks(e dossier.WasLocked) (lacks []string) {
	lack := func(ok bool, format string, args ...any) {
		if !ok {
			lacks = append(lacks, fmt.Sprintf(format, args...))
		}
	}
	if e.OnContent() { // the holder's own word on what is to be voted on: no facts and no decision stand behind it
		lack(e.Ballot.Reason.By == gov.ByHolder && p.answered(*e.Approval, e.Ballot.Support), "the holder's answer is not on record")
		lack(e.Approval.ContentHash == e.Content && e.Content != (gov.Hash{}), "the answer is on content %s, the vote on %s", e.Approval.ContentHash, e.Content)
		lack(e.Ballot.Reason.Record == (gov.Digest{}), "the ballot names facts %s that nobody was shown", e.Ballot.Reason.Record)
		return lacks
	}
	basis, gathered := p.basis[e.Facts]
	lack(gathered && e.Facts != (gov.Digest{}), "facts %s were never gathered", e.Facts)
	lack(basis == e.Basis && e.Basis != (gov.Digest{}), "the basis is %s, that of the facts %s", e.Basis, basis)
	lack(p.policies[e.Policy] && e.Policy != (gov.Digest{}), "policy %s decided nothing here", e.Policy)
	lack(e.Ballot.Reason.Record == e.Facts, "the ballot names facts %s, not %s", e.Ballot.Reason.Record, e.Facts)
	if e.Ballot.Reason.By == gov.ByHolder {
		lack(e.Approval != nil && p.answered(*e.Approval, e.Ballot.Support), "the holder's answer is not on record")
		return lacks
	}
	direction := e.Ballot.Support.Direction()
	timedOut := p.decided[e.Facts][gov.Hold] && direction != gov.For
	lack(p.decided[e.Facts][direction] || timedOut, "no decision for %s on facts %s", direction, e.Facts)
	if direction == gov.For {
		lack(p.passed[e.Facts] && e.Gate.Result == gov.GatePass, "a vote for without the gate's pass on facts %s", e.Facts)
	}
	return lacks
}

func (p *provenance) answered(a gov.Approval, support gov.Support) bool {
	for _, known := range p.answers {
		if known == a && a.Support == support {
			return true
		}
	}
	return false
}
