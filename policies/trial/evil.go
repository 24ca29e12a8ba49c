package trial

import (
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// evil are the proposals that do harm. What a policy sees of each is in its facts: that it pays from another's pocket, that
// it pays nothing now, that it grants a right of which no log tells.
func evil() []*world {
	return slices.Concat(payments(), rights(), forwarded(), parameters(), rules(), hidden())
}

// payments are those by which value leaves, now or later, from the treasury or from another's pocket.
func payments() []*world {
	comp := units(200_000, 18)
	most := units(12_000_000, 6)
	return []*world{
		begin("drain", "Pays 12 000 000 USDC to an account nobody knows", transfer(usdc, stranger, most)).pays(stranger, gov.Asset(usdc), most, 12e6).harms("60 % of the treasury is gone"),
		begin("grant-from-market", "Lets the market pay 200 000 of its own tokens to a stranger", call(market, gov.KindTransfer, "_grantComp(address,uint256)", address(stranger), amount(comp))).
			pays(stranger, gov.Asset(token), comp, 2e6).harms("a contract of the DAO pays 2 000 000 USD from its own pocket"),
		begin("reserves", "Withdraws 2 000 000 USDC of a market's reserves to a stranger", call(market, gov.KindTransfer, "withdrawReserves(address,uint256)", address(stranger), amount(units(2_000_000, 6)))).
			pays(stranger, gov.Asset(usdc), units(2_000_000, 6), 2e6).harms("the market's reserves go to a stranger"),
		begin("third-party", "Takes 300 000 tokens from an account that had trusted the timelock", call(token, gov.KindTransfer, "transferFrom(address,address,uint256)", address(account(40)), address(stranger), amount(units(300_000, 18)))).
			pays(stranger, gov.Asset(token), units(300_000, 18), 3e6).harms("a third party is robbed by the DAO's hand"),
		begin("in-and-out", "Takes 1 000 000 tokens in and sends them on", call(token, gov.KindTransfer, "transferFrom(address,address,uint256)", address(account(40)), address(timelock), amount(units(1_000_000, 18))), transfer(token, stranger, units(1_000_000, 18))).
			pays(stranger, gov.Asset(token), units(1_000_000, 18), 1e7).harms("what came in during the run is gone again"),
		begin("relay", "Lets the governor pay 300 000 of its own tokens to a stranger", holding(call(governor, gov.KindGovernor, "relay(address,uint256,bytes)", address(token), number(0), bytes(68)), transfer(token, stranger, units(300_000, 18)))).
			pays(stranger, gov.Asset(token), units(300_000, 18), 3e6).harms("the governor's own tokens are gone"),
		begin("unpriced", "Pays 400 000 of a token without a price to a stranger", transfer(account(41), stranger, units(400_000, 18))).
			pays(stranger, gov.Asset(account(41)), units(400_000, 18), -1).harms("nobody knows what is paid away"),
		begin("nft", "Gives a collectible of the treasury to a stranger", call(account(42), gov.KindTransfer, "safeTransferFrom(address,address,uint256)", address(timelock), address(stranger), number(7))).
			pays(stranger, gov.Asset(account(42)), gov.NewAmount(1), -1).harms("a collectible is given away"),
		begin("unlimited-allowance", "Lets a stranger take all USDC of the treasury, at any time", call(usdc, gov.KindApproval, "approve(address,uint256)", address(stranger), amount(gov.MaxAmount))).
			allows(stranger, gov.Asset(usdc), gov.MaxAmount, gov.OutflowAllowance, treasuryUSD).harms("the treasury can be emptied tomorrow"),
		begin("small-allowance", "Lets a stranger take 40 000 USDC, at any time", call(usdc, gov.KindApproval, "approve(address,uint256)", address(stranger), amount(units(40_000, 6)))).
			allows(stranger, gov.Asset(usdc), units(40_000, 6), gov.OutflowAllowance, 40_000).harms("a spender takes when it wants, for nothing in return"),
		begin("operator", "Makes a stranger operator of all tokens of a collection", call(account(42), gov.KindApproval, "setApprovalForAll(address,bool)", address(stranger), number(1))).
			allows(stranger, gov.Asset(account(42)), gov.MaxAmount, gov.OutflowApprovalForAll, 0).harms("the whole collection can be taken"),
		begin("stream-superfluid", "Opens a stream without end to a stranger", call(payroll, gov.KindStream, "setFlowrate(address,address,int96)", address(usdc), address(stranger), number(1e12))).
			harms("value leaves bit by bit, and none of it in the dry run"),
		begin("stream-llamapay", "Opens a stream of payments to a stranger", call(payroll, gov.KindStream, "createStream(address,uint216)", address(stranger), number(1e15))).
			harms("value leaves bit by bit, and none of it in the dry run"),
		begin("contributor-speed", "Pays 5 tokens a block to a stranger from now on", call(market, gov.KindParameter, "_setContributorCompSpeed(address,uint256)", address(stranger), amount(units(5, 18)))).
			param("contributor-speed", 0, 0, gov.Unclear).harms("a stream without end, in a parameter's clothes"),
		begin("order", "Signs an order to sell that anybody can fill", call(account(43), gov.KindCall, "setPreSignature(bytes,bool)", bytes(56), number(1))).
			harms("tokens are sold at a price that is not in the proposal"),
	}
}

// rights are those that give somebody a right, or a name.
func rights() []*world {
	return []*world{
		begin("timelock-takeover", "Makes a stranger admin of the DAO's timelock", call(timelock, gov.KindTimelock, "grantRole(bytes32,address)", number(0), address(stranger))).
			grants(timelock, stranger, gov.RoleGranted).but(func(f *gov.Facts) { f.Timelock.RolesChanged = gov.Known(int64(1)) }).harms("a stranger owns the DAO"),
		begin("rely", "Makes a stranger a ward of a contract", call(manager, gov.KindRole, "rely(address)", address(stranger))).
			grants(manager, stranger, gov.RoleGranted).harms("a stranger may do all that the DAO may do there"),
		begin("manager-admin", "Makes a stranger admin of the access manager", call(manager, gov.KindRole, "grantRole(uint64,address,uint32)", number(0), address(stranger), number(0))).
			grants(manager, stranger, gov.RoleGranted).harms("a stranger decides who may call what"),
		begin("public-role", "Lets everybody call the treasury's pay", call(manager, gov.KindRole, "setTargetFunctionRole(address,bytes4[],uint64)", address(vault), gov.Value{List: []gov.Value{bytes(4)}}, number(1<<63))).
			harms("anybody can empty the treasury"),
		begin("next-owner", "Offers a market's ownership to a stranger", call(market, gov.KindRole, "transferOwnership(address)", address(stranger))).
			grants(market, stranger, gov.OwnerPending).harms("a stranger owns the market"),
		begin("minter", "Makes a stranger a minter of the governance token", call(token, gov.KindRole, "addMinter(address)", address(stranger))).
			grants(token, stranger, gov.RoleGranted).but(func(f *gov.Facts) { f.Supply.MintersAdded = gov.Known(int64(1)) }).harms("a stranger creates votes at will"),
		begin("mint", "Creates tokens for a stranger, 15 % of the supply", call(token, gov.KindMint, "mint(address,uint256)", address(stranger), amount(units(150_000, 18)))).
			but(func(f *gov.Facts) { f.Supply.MintedBps = gov.Known(1500.0) }).harms("every holder is diluted"),
		begin("safe-module", "Lets a module take from a Safe of the DAO", call(vault, gov.KindRole, "enableModule(address)", address(stranger))).
			grants(vault, stranger, gov.RoleGranted).harms("a stranger moves all that the Safe holds"),
		begin("subname", "Gives a name under the DAO's own to a stranger", call(records, gov.KindCall, "setSubnodeOwner(bytes32,bytes32,address)", number(1), number(2), address(stranger))).
			harms("a stranger speaks under the DAO's name"),
		begin("votes", "Delegates the treasury's votes to a stranger", call(token, gov.KindCall, "delegate(address)", address(stranger))).
			but(func(f *gov.Facts) { f.Supply.SelfDelegated = gov.Known(true) }).harms("a stranger votes with the treasury's tokens"),
	}
}

// forwarded are those whose harm lies inside a call, on another chain, or in code that nobody knows.
func forwarded() []*world {
	return []*world{
		begin("fresh-delegatecall", "Runs a contract that is a minute old with the executor's rights", holding(call(executor, gov.KindCall, "execute(address,bytes)", address(fresh), bytes(4)), func() gov.Call {
			c := unread(gov.Call{To: fresh, Kind: gov.KindUnknown, Delegatecall: true, Decoded: gov.DecodedNone})
			return c
		}())).harms("code that nobody has read acts as the DAO"),
		begin("closed-forwarder", "Forwards a call that cannot be taken out", call(executor, gov.KindCall, "executeCall(address,bytes)", address(fresh), bytes(36))).harms("nobody knows what is called"),
		begin("opaque", "Calls a function of a known contract whose meaning nobody has said", call(market, gov.KindCall, "frobnicate(uint256)", number(1))).harms("nobody knows what it does"),
		begin("retryable", "Sends a message to another chain that gives a stranger a contract", call(bridge, gov.KindBridge, "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)",
			address(account(44)), number(0), number(0), address(timelock), address(timelock), number(0), number(0), bytes(36))).harms("what happens there is not in the dry run"),
		begin("wormhole", "Sends calls to another chain", call(bridge, gov.KindBridge, "sendMessage(address[],uint256[],bytes[],address,uint16)", gov.Value{}, gov.Value{}, gov.Value{}, address(account(44)), number(5))).
			harms("what happens there is not in the dry run"),
		begin("own-upgrade", "Replaces the code of the DAO's governor", call(governor, gov.KindGovernor, "upgradeTo(address)", address(fresh))).
			but(func(f *gov.Facts) {
				f.Upgrades = gov.Known([]gov.Change{{Proxy: governor, Before: account(45), After: fresh, AfterCode: gov.CodeHash{1}}})
			}).harms("whoever wrote the new code owns the DAO"),
		begin("codeless-upgrade", "Upgrades a market to an address without code", call(market, gov.KindUpgrade, "upgradeTo(address)", address(account(46)))).
			but(func(f *gov.Facts) {
				f.Upgrades = gov.Known([]gov.Change{{Proxy: market, Before: account(45), After: account(46)}})
			}).harms("anything can be deployed there afterwards"),
	}
}

// parameters are those that only set numbers.
func parameters() []*world {
	return []*world{
		begin("collateral-to-nothing", "Sets the collateral factor of a market to 1 wei", collateralFactor(1)).
			param("collateral-factor", 0.7, 1e-18, gov.Tighter).harms("every borrower is liquidated in the next block"),
		begin("collateral-halved", "Halves the collateral factor of a market", collateralFactor(350_000_000_000_000_000)).
			param("collateral-factor", 0.7, 0.35, gov.Tighter).harms("most borrowers are liquidated in the next block"),
		begin("reserve-to-all", "Raises the reserve factor of a market from 10 % to 100 %", call(market, gov.KindParameter, "_setReserveFactor(uint256)", number(1e18))).
			param("reserve-factor", 0.1, 1, gov.Tighter).harms("lenders earn nothing any more"),
		begin("one-good-one-bad", "Lowers the close factor a little and the collateral factor to nothing", call(market, gov.KindParameter, "_setCloseFactor(uint256)", number(450_000_000_000_000_000)), collateralFactor(1)).
			param("close-factor", 0.5, 0.45, gov.Tighter).param("collateral-factor", 0.7, 1e-18, gov.Tighter).harms("every borrower is liquidated in the next block"),
		begin("loose-collateral", "Raises the collateral factor of a market from 70 % to 100 %", collateralFactor(1e18)).
			param("collateral-factor", 0.7, 1, gov.Looser).harms("the market lends more than it can get back"),
		begin("oracle", "Makes a stranger's contract the price of everything", call(market, gov.KindParameter, "_setPriceOracle(address)", address(fresh))).
			param("price-oracle", 0, 0, gov.Unclear).harms("a stranger says what everything is worth"),
	}
}

// rules are those that change how the DAO decides, or how long anybody has to react.
func rules() []*world {
	return []*world{
		begin("no-delay", "Lowers the timelock's delay from 2 days to nothing", call(timelock, gov.KindTimelock, "updateDelay(uint256)", number(0))).
			but(func(f *gov.Facts) { f.Timelock.DelayAfter = gov.Known(int64(0)) }).harms("nobody has time to react"),
		begin("no-quorum", "Lowers the quorum to nothing", call(governor, gov.KindGovernor, "updateQuorumNumerator(uint256)", number(0))).
			but(func(f *gov.Facts) { f.Governor.Quorum.After = gov.Known(0.0) }).harms("one vote decides"),
		begin("short-vote", "Shortens the vote to one block", call(governor, gov.KindGovernor, "setVotingPeriod(uint32)", number(1))).
			but(func(f *gov.Facts) { f.Governor.Period.After = gov.Known(int64(1)) }).harms("nobody can vote in time"),
		begin("paused", "Stops all transfers of the governance token", call(token, gov.KindCall, "pause()")).
			but(func(f *gov.Facts) { f.Supply.Paused = gov.Known(true) }).harms("holders cannot leave"),
	}
}

// hidden are those that do more than they say, or that nobody can see to their end.
func hidden() []*world {
	return []*world{
		begin("hook", "Writes a text record, and a hook pays 30 000 USDC to a stranger", call(records, gov.KindCall, "setText(bytes32,string,string)", number(1), bytes(3), bytes(9))).
			pays(stranger, gov.Asset(usdc), units(30_000, 6), 30_000).harms("the run does what no call declares"),
		begin("hidden-right", "Ends a stream, and a stranger owns a market afterwards", call(payroll, gov.KindStream, "cancelStream(uint256)", number(4))).
			grants(market, stranger, gov.OwnerChanged).harms("the run does what no call declares"),
		begin("exhausted", "Lets a stranger take tokens, in a run that was made too large to measure", call(usdc, gov.KindApproval, "approve(address,uint256)", address(stranger), amount(units(40_000, 6)))).
			ends(gov.EffectsExhausted).harms("the proposer bought itself out of being seen"),
		begin("reverted", "Gives a stranger a role, and cannot be executed as things stand", call(market, gov.KindRole, "grantRole(bytes32,address)", number(1), address(stranger))).
			ends(gov.EffectsReverted).harms("it executes once its author wants it to"),
	}
}

// Cases lists all proposals, the good ones first. Each call makes new ones: a caller may change what it gets.
func Cases() []Case {
	worlds := slices.Concat(good(), evil())
	out := make([]Case, len(worlds))
	for i, w := range worlds {
		out[i] = w.end()
	}
	return out
}
