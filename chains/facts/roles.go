package facts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// rightEvent is an event that changes who may do what, and where its new account lies.
type rightEvent struct {
	kind    gov.RoleChangeKind
	account int // position of the account among all values, indexed ones first
	role    int // position of the role, -1 if none
	sense   int // position of a flag that says granted or revoked, -1 if the kind says it
}

// rightEvents are the events by topic and number of indexed values.
var rightEvents = map[gov.Hash]rightEvent{
	topic("RoleGranted(bytes32,address,address)"): {gov.RoleGranted, 1, 0, -1},
	topic("RoleRevoked(bytes32,address,address)"): {gov.RoleRevoked, 1, 0, -1},
	// OpenZeppelin's AccessManager counts its roles.
	topic("RoleGranted(uint64,address,uint32,uint48,bool)"): {gov.RoleGranted, 1, 0, -1},
	topic("RoleRevoked(uint64,address)"):                    {gov.RoleRevoked, 1, 0, -1},
	// Solady's owner, DSS wards, Zodiac's roles.
	topic("Rely(address)"):                                 {gov.RoleGranted, 0, -1, -1},
	topic("Deny(address)"):                                 {gov.RoleRevoked, 0, -1, -1},
	topic("RolesUpdated(address,uint256)"):                 {gov.RoleGranted, 0, 1, 1},
	topic("OwnershipTransferred(address,address)"):         {gov.OwnerChanged, 1, -1, -1},
	topic("OwnershipTransferStarted(address,address)"):     {gov.OwnerPending, 1, -1, -1},
	topic("DefaultAdminTransferScheduled(address,uint48)"): {gov.AdminPending, 0, -1, -1},
	topic("AdminChanged(address,address)"):                 {gov.AdminChanged, 1, -1, -1},
	topic("NewAdmin(address)"):                             {gov.AdminChanged, 0, -1, -1},
	topic("NewAdmin(address,address)"):                     {gov.AdminChanged, 1, -1, -1},
	topic("NewPendingAdmin(address)"):                      {gov.AdminPending, 0, -1, -1},
	topic("NewPendingAdmin(address,address)"):              {gov.AdminPending, 1, -1, -1},
	topic("OwnerChanged(address,address)"):                 {gov.OwnerChanged, 1, -1, -1},
	topic("NewOwner(address,address)"):                     {gov.OwnerChanged, 1, -1, -1},
	topic("LogSetOwner(address)"):                          {gov.OwnerChanged, 0, -1, -1},
	topic("LogSetAuthority(address)"):                      {gov.AdminChanged, 0, -1, -1},
	topicMinterChanged:                                     {gov.RoleGranted, 1, -1, -1},
	// Safe.
	topic("EnabledModule(address)"):          {gov.RoleGranted, 0, -1, -1},
	topic("DisabledModule(address)"):         {gov.RoleRevoked, 0, -1, -1},
	topic("AddedOwner(address)"):             {gov.RoleGranted, 0, -1, -1},
	topic("RemovedOwner(address)"):           {gov.RoleRevoked, 0, -1, -1},
	topic("ChangedGuard(address)"):           {gov.RoleGranted, 0, -1, -1},
	topic("ChangedFallbackHandler(address)"): {gov.RoleGranted, 0, -1, -1},
	// Aragon: setting a permission carries whether it is allowed.
	topic("SetPermission(address,address,bytes32,bool)"): {gov.RoleGranted, 0, 2, 3},
}

// roles counts the changes of rights that the run made.
func roles(ctx context.Context, g *gathering) {
	r := &g.facts.Roles
	if !g.executed() {
		for _, part := range []gov.Part{"granted", "granted_outside", "revoked", "owner_changed", "admin_changed", "changes"} {
			g.missing("roles."+part, g.effectsReason(), gov.Address{})
		}
		return
	}
	changes := g.roleChanges()
	handed, unread := g.handedOver(ctx, changes)
	changes = append(changes, handed...)
	sortChanges(changes)
	var granted, outside, revoked, owner, admin int64
	for _, c := range changes {
		if grants(c) {
			granted++
			if c.Outside {
				outside++
			}
		}
		switch c.Kind {
		case gov.RoleRevoked:
			revoked++
		case gov.OwnerChanged:
			owner++
		case gov.AdminChanged:
			admin++
		}
	}
	count := func(part gov.Part, n int64) gov.Maybe[int64] {
		if unread != (gov.Missing{}) && n == 0 {
			g.missing(part, unread.Reason, unread.Subject)
			return gov.Maybe[int64]{}
		}
		return g.counted(part, n)
	}
	*r = gov.Roles{
		Granted: count("roles.granted", granted), GrantedOutside: count("roles.granted_outside", outside), Revoked: count("roles.revoked", revoked),
		OwnerChanged: count("roles.owner_changed", owner), AdminChanged: count("roles.admin_changed", admin), Changes: gov.Known(changes),
	}
}

// masters are the getters that say who rules a contract, and what a change of their answer is.
var masters = []struct {
	getter gov.Signature
	kind   gov.RoleChangeKind
}{
	{"owner()", gov.OwnerChanged}, {"pendingOwner()", gov.OwnerPending}, {"admin()", gov.AdminChanged}, {"pendingAdmin()", gov.AdminPending},
	{"authority()", gov.AdminChanged}, {"governance()", gov.OwnerChanged}, {"governor()", gov.AdminChanged},
}

// maxMasters bounds the accounts that are asked who rules them.
const maxMasters = 64

// handedOver asks every account that changed its state who rules it, before the run and after it, and looks at the admin
// slots of EIP-1967: a contract need not log what it does. unread is why not all could be asked; zero where all were.
func (g *gathering) handedOver(ctx context.Context, told []gov.RoleChange) (out []gov.RoleChange, unread gov.Missing) {
	var accounts []gov.Address
	for _, d := range g.facts.Effects.StorageDiffs {
		accounts = append(accounts, d.Account)
		if d.Slot == book.AdminSlot {
			out = append(out, g.handed(told, d.Account, gov.AdminChanged, gov.Address(d.After[12:]))...)
		}
	}
	accounts = sortedSet(accounts)
	if len(accounts) > maxMasters {
		accounts, unread = accounts[:maxMasters], gov.Missing{Reason: gov.TooLarge, Subject: accounts[maxMasters]}
	}
	found, errs := make([][]gov.RoleChange, len(accounts)), make([]error, len(accounts))
	g.each(ctx, len(accounts), func(ctx context.Context, i int) {
		for _, m := range masters {
			before, was, err := askWord(ctx, g.ready, accounts[i], m.getter)
			if err != nil {
				errs[i] = err
				return
			}
			after, is, err := askWord(ctx, g.after, accounts[i], m.getter)
			if err != nil {
				errs[i] = err
				return
			}
			if (was || is) && before.Word != after.Word {
				found[i] = append(found[i], g.handed(told, accounts[i], m.kind, after.Address())...)
			}
		}
	})
	for i, a := range accounts {
		if errs[i] != nil {
			unread = gov.Missing{Reason: reasonOf(errs[i]), Subject: a}
		}
		out = append(out, found[i]...)
	}
	return out, unread
}

// handed is a new master of an account, unless a log or a call told of it.
func (g *gathering) handed(told []gov.RoleChange, target gov.Address, kind gov.RoleChangeKind, to gov.Address) []gov.RoleChange {
	for _, c := range told {
		if c.Target == target && (c.Account == to || to.IsZero()) {
			return nil
		}
	}
	return []gov.RoleChange{{Target: target, Kind: kind, Account: to, Outside: !to.IsZero() && g.outside(to)}}
}

// grants says whether a change gives somebody a right; an owner or admin that becomes nobody does not.
func grants(c gov.RoleChange) bool {
	return c.Kind == gov.RoleOpened || c.Kind != gov.RoleRevoked && !c.Account.IsZero()
}

// roleChanges are what the run's logs say, and what the calls that ran say of accounts that no log of the target names.
// It is for a run that executed.
func (g *gathering) roleChanges() []gov.RoleChange {
	seen := map[gov.RoleChange]bool{}
	out := []gov.RoleChange{}
	add := func(c gov.RoleChange) {
		c.Outside = c.Kind == gov.RoleOpened || !c.Account.IsZero() && g.outside(c.Account)
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	type about struct{ target, account gov.Address }
	logged := map[about]bool{}
	for _, l := range g.facts.Effects.Logs {
		if c, ok := changeOfLog(l); ok {
			logged[about{c.Target, c.Account}] = true
			add(c)
		}
	}
	for _, c := range changesOfCalls(g.decoded.Calls, g.facts.DAO.Executor) {
		if !logged[about{c.Target, c.Account}] {
			add(c)
		}
	}
	sortChanges(out)
	return out
}

func sortChanges(list []gov.RoleChange) {
	slices.SortFunc(list, func(x, y gov.RoleChange) int {
		return cmp.Or(x.Target.Cmp(y.Target), strings.Compare(string(x.Kind), string(y.Kind)), x.Role.Cmp(y.Role), x.Account.Cmp(y.Account))
	})
}

// changeOfLog reads one log. Values are taken in order, indexed ones first, as every event here has them.
func changeOfLog(l gov.EventLog) (gov.RoleChange, bool) {
	if len(l.Topics) == 0 {
		return gov.RoleChange{}, false
	}
	e, ok := rightEvents[l.Topics[0]]
	if !ok {
		return gov.RoleChange{}, false
	}
	words := append([]gov.Hash{}, l.Topics[1:]...)
	for data := l.Data.Bytes(); len(data) >= 32; data = data[32:] {
		words = append(words, gov.Hash(data[:32]))
	}
	if max(e.account, e.role, e.sense) >= len(words) {
		return gov.RoleChange{}, false
	}
	c := gov.RoleChange{Target: l.Account, Kind: e.kind, Account: gov.Address(words[e.account][12:])}
	if e.role >= 0 {
		c.Role = words[e.role]
	}
	if e.sense >= 0 && words[e.sense] == (gov.Hash{}) {
		c.Kind = gov.RoleRevoked
	}
	return c, true
}

// changesOfCalls are the changes that the calls of a tree declare, scheduled ones left out: they do not run.
func changesOfCalls(calls []gov.Call, executor gov.Address) (out []gov.RoleChange) {
	for _, i := range impact.Declared(calls, executor) {
		if i.When != gov.WhenNow {
			continue
		}
		switch i.Kind {
		case gov.ImpactGrants:
			if !i.To.IsZero() {
				out = append(out, gov.RoleChange{Target: i.Target, Kind: i.Right, Role: i.Role, Account: i.To})
			}
		case gov.ImpactOpens:
			if everybody(i) {
				out = append(out, gov.RoleChange{Target: i.Target, Kind: gov.RoleOpened, Role: i.Role})
			}
		case gov.ImpactRevokes:
			if !i.From.IsZero() {
				out = append(out, gov.RoleChange{Target: i.Target, Kind: gov.RoleRevoked, Role: i.Role, Account: i.From})
			}
		}
	}
	return out
}

// everybody reports whether a function is opened to all: without a role, or to OpenZeppelin's public one, 2^64-1.
func everybody(i gov.Impact) bool {
	public := gov.Hash(gov.Value{Word: [32]byte{24: 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}.Word)
	return i.Role == (gov.Hash{}) || i.Role == public
}
