package signer_test

import (
	"crypto/ecdsa"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/policies"
)

// policy has a rule for each direction, and lets holds time out to against. bob, at another governor, wants
// everything.
const policy = `version: 1
holders:
  - {name: alice, account: "eip155:1:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A", governors: [compound], policy: careful}
  - {name: bob, account: "eip155:1:0x00000000000000000000000000000000000000B0", governors: [other], policy: lax}
policies:
  careful:
    otherwise: hold
    rules:
      - {name: no-dilution, vote: against, when: supply.minted_bps > 50}
      - {name: ask-me, vote: hold, when: supply.burned_bps > 100}
      - {name: small-grant, vote: for, when: 'only("transfer") && clean_but("outflow") && treasury.outflow_usd <= 50000'}
      - {name: no-opinion, vote: abstain, when: targets.eoa > 0}
  lax:
    otherwise: against
    rules:
      - {name: all, vote: for, when: "true"}
on_timeout: against
timing: {wait: 6h, latest: 12h}
limits: {fee_per_vote: 0.05 ETH}
`

const passphrase = "CANARY-correct-horse-battery"

var (
	now      = time.Unix(1_800_000_000, 0).UTC()
	governor = gov.Address{0xA0, 19: 1}
	timelock = gov.Address{0xA0, 19: 2}
	token    = gov.Address{0xA0, 19: 3}
	usdc     = gov.Address{0xA0, 19: 4}
	stranger = gov.Address{0xA0, 19: 9}
)

// testKey is a key whose text is public.
func testKey(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte("legate signer test " + name)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func addressOf(k *ecdsa.PrivateKey) gov.Address {
	return gov.Address(crypto.PubkeyToAddress(k.PublicKey))
}

// keyFile writes an encrypted key file.
func keyFile(t testing.TB, dir string, k *ecdsa.PrivateKey) string {
	t.Helper()
	raw, err := keystore.EncryptKey(&keystore.Key{Id: uuid.UUID{1}, Address: crypto.PubkeyToAddress(k.PublicKey), PrivateKey: k}, passphrase, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "voter.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// world is a signer with its files.
type world struct {
	signer.Signer
	dir    string
	folder string // of the ledger
	set    *policies.Set
	key    *ecdsa.PrivateKey
	holder *ecdsa.PrivateKey
	config signer.Config
	at     time.Time
	next   uint64 // number of the next proposal
}

func build(t testing.TB) *world {
	t.Helper()
	set, problems := policies.Parse("policies.yaml", []byte(policy))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	w := &world{dir: t.TempDir(), set: set, key: testKey(t, "voter"), holder: testKey(t, "holder"), at: now}
	w.folder = filepath.Join(w.dir, "ledger")
	keyFile(t, w.dir, w.key)
	if _, err := ledger.Create(w.folder, addressOf(w.key), 1); err != nil {
		t.Fatal(err)
	}
	w.config = signer.Config{
		Passphrase: signer.PassphraseOf(passphrase), Dir: w.dir, Policies: set, Approvers: []gov.Address{addressOf(w.holder)},
		Ledger:    func(voter gov.Address) (*ledger.Ledger, error) { return ledger.Open(w.folder, voter) },
		Governors: []signer.Governor{{Chain: 1, Address: governor, Name: "compound", Flavour: gov.GovernorBravo}},
		Now:       func() time.Time { return w.at },
	}
	w.open(t)
	return w
}

// open starts the signer again, as after a crash.
func (w *world) open(t testing.TB) {
	t.Helper()
	s, err := signer.Open(t.Context(), "keystore:voter.json", w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.Signer = s
}

func both[T any](v T) gov.Span[T] { return gov.Span[T]{Before: gov.Known(v), After: gov.Known(v)} }

// facts are those of a small grant: known calls that execute, and nothing that a check finds but the outflow.
func facts(a gov.Action) gov.Facts {
	none := func() gov.Maybe[int64] { return gov.Known(int64(0)) }
	zero, no := gov.Known(0.0), gov.Known(false)
	sel, _ := a.Calldata.Selector()
	call := gov.Call{
		To: a.To, Label: "USDC", Value: a.Value, Selector: &sel, Signature: "transfer(address,uint256)", Kind: gov.KindTransfer,
		Known: true, Decoded: gov.DecodedFull, DataHash: a.Calldata.Hash(), CodeHash: gov.Hash{1},
	}
	f := gov.Facts{
		At:      gov.Block{Number: 100, Hash: gov.Hash{5}, Time: gov.UnixTime(now.Unix() - 600)},
		Sources: 1,
		Calls:   gov.Known([]gov.Call{call}),
		Effects: gov.Effects{Status: gov.Known(gov.EffectsExecuted), Mode: gov.ModeLifecycle, Gas: gov.Known(gov.NewAmount(91234)), FailedAction: -1},
		Treasury: gov.Treasury{
			ValueUSD: gov.Known(2e6), OutflowUSD: gov.Known(20000.0), OutflowBps: gov.Known(100.0), Allowances: none(), AllowancesOutside: none(), RecipientsNew: gov.Known(int64(1)),
			Outflows: gov.Known([]gov.Outflow{{To: stranger, Token: gov.Asset(usdc), Amount: gov.NewAmount(20_000_000_000), USD: gov.Known(20000.0), Bps: gov.Known(100.0), Kind: gov.OutflowTransfer, Decoded: true, Outside: true}}),
		},
		Supply:   gov.Supply{MintedBps: zero, BurnedBps: zero, MintersAdded: none(), CapRaised: no, Paused: no, SelfDelegated: no},
		Roles:    gov.Roles{Granted: none(), GrantedOutside: none(), Revoked: none(), OwnerChanged: none(), AdminChanged: none(), Changes: gov.Known([]gov.RoleChange{})},
		Timelock: gov.Timelock{DelayBefore: gov.Known(int64(172800)), DelayAfter: gov.Known(int64(172800)), RolesChanged: none()},
		Governor: gov.GovernorFacts{Quorum: both(400000.0), Threshold: both(25000.0), Delay: both(int64(13140)), Period: both(int64(19710))},
		Upgrades: gov.Known([]gov.Change{}), Params: gov.Known([]gov.Param{}),
		Targets: gov.Targets{Fresh: none(), Codeless: none(), Proxy: none(), EOA: none(), Code: gov.Known([]gov.TargetCode{{Address: a.To, Known: true, Size: 100}})},
		DAO:     gov.DAO{Governor: governor, Timelock: timelock, Token: token, Executor: timelock, Treasury: []gov.Address{timelock}},
	}
	f.Finish()
	return f
}

// intent is an honest one for the next proposal: a small grant, which the policy votes for. change edits the
// facts first.
func (w *world) intent(t testing.TB, change func(*gov.Facts)) gov.Intent {
	t.Helper()
	w.next++
	id := gov.ProposalID{Chain: 1, Governor: governor, Number: gov.NewAmount(w.next)}
	data := append([]byte{0xa9, 0x05, 0x9c, 0xbb}, make([]byte, 64)...)
	data[35], data[67] = 9, byte(w.next)
	action := gov.Action{To: usdc, Calldata: gov.CalldataOf(data), Signed: true}
	p := gov.Proposal{
		ID: id, Name: "compound", Flavour: gov.GovernorBravo, Proposer: stranger, Created: gov.Block{Number: 90, Hash: gov.Hash{4}, Time: gov.UnixTime(now.Unix() - 86400)},
		Clock: gov.ClockBlock, Starts: 95, Ends: 200, EndsAt: gov.UnixTime(now.Unix() + 86400), State: gov.StateActive, Actions: []gov.Action{action}, DescriptionHash: gov.Hash{8},
	}
	p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	f := facts(action)
	if change != nil {
		change(&f)
		f.Finish()
	}
	account, err := gov.ParseAddress("0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A")
	if err != nil {
		t.Fatal(err)
	}
	i := gov.Intent{
		Case: gov.Case{Proposal: p, Facts: f, Holder: gov.Holder{Name: "alice", Account: account}},
		Gate: gov.Gated{Result: gov.GatePass},
		Tx:   gov.Tx{Nonce: w.next, Gas: 200_000, FeeCap: gov.NewAmount(40_000_000_000), TipCap: gov.NewAmount(1_000_000_000)},
	}
	i.Ballot = gov.Ballot{Proposal: id, Flavour: p.Flavour, Voter: w.Address(), Reason: gov.BallotReason{By: gov.ByPolicy}}
	w.say(t, &i)
	return i
}

// say makes the ballot what the policy says of the case.
func (w *world) say(t testing.TB, i *gov.Intent) {
	t.Helper()
	v := w.set.Decide(i.Case)
	i.Ballot.Reason.Rule = v.Rule
	i.Ballot.Support, _ = v.Direction.Support()
	record(t, i)
}

// record makes the ballot stand on the bundle's facts.
func record(t testing.TB, i *gov.Intent) {
	t.Helper()
	d, err := i.Case.Facts.Digest()
	if err != nil {
		t.Fatal(err)
	}
	i.Ballot.Reason.Record = d
}

func basisOf(t testing.TB, c gov.Case) gov.Digest {
	t.Helper()
	b, err := gov.Basis(c.Proposal, c.Facts, checks.Run(c.Proposal, c.Facts))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answered makes it the holder's own vote, signed by k.
func answered(t testing.TB, i *gov.Intent, k *ecdsa.PrivateKey, s gov.Support) {
	t.Helper()
	a, err := approval.Build(gov.Approval{
		Proposal: i.Ballot.Proposal, ContentHash: i.Case.Proposal.ContentHash, Basis: basisOf(t, i.Case), Support: s, Expires: gov.UnixTime(now.Unix() + 3600),
	}, func(h gov.Hash) ([]byte, error) { return crypto.Sign(h[:], k) })
	if err != nil {
		t.Fatal(err)
	}
	i.Approval, i.Ballot.Support = &a, s
	i.Ballot.Reason.By, i.Ballot.Reason.Rule = gov.ByHolder, ""
}

// The facts on which the policy says each direction.
func mints(f *gov.Facts) { f.Supply.MintedBps = gov.Known(2000.0) }
func burns(f *gov.Facts) { f.Supply.BurnedBps = gov.Known(2000.0) }
func toEOA(f *gov.Facts) {
	f.Targets.EOA, f.Treasury.OutflowUSD = gov.Known(int64(1)), gov.Known(90000.0)
}
func blind(f *gov.Facts)  { f.Effects.Status = gov.Known(gov.EffectsUnavailable) }
func aged(f *gov.Facts)   { f.At.Time = gov.UnixTime(now.Unix() - 3600) }
func future(f *gov.Facts) { f.At.Time = gov.UnixTime(now.Unix() + 300) }
