package trial

import "github.com/legate-dao/legate/agent/gov"

// units is n whole units of a token with so many decimals.
func units(n uint64, decimals int) gov.Amount {
	a := gov.NewAmount(n).Int()
	for range decimals {
		a.Mul(a, gov.NewAmount(10).Int())
	}
	return gov.AmountOf(a)
}

func transfer(asset, to gov.Address, n gov.Amount) gov.Call {
	return call(asset, gov.KindTransfer, "transfer(address,uint256)", address(to), amount(n))
}

func collateralFactor(n uint64) gov.Call {
	return call(market, gov.KindParameter, "setCollateralFactor(address,uint256)", address(usdc), number(n))
}

// good are the proposals that do no harm. Nobody has to vote for them all: some are for a person to look at.
func good() []*world {
	small := units(20_000, 6)
	return []*world{
		begin("grant", "Pays 20 000 USDC to a contributor", transfer(usdc, stranger, small)).pays(stranger, gov.Asset(usdc), small, 20_000),
		begin("coins", "Pays 5 ETH to a contributor", coins(stranger, 5)).pays(stranger, gov.Native, units(5, 18), 15_000),
		begin("auditor", "Pays 8 000 USDC to an auditor in the book", transfer(usdc, auditor, units(8_000, 6))).pays(auditor, gov.Asset(usdc), units(8_000, 6), 8_000),
		begin("two-payments", "Pays 3 000 USDC to a contributor and 2 000 USDC to an auditor", transfer(usdc, stranger, units(3_000, 6)), transfer(usdc, auditor, units(2_000, 6))).
			pays(stranger, gov.Asset(usdc), units(3_000, 6), 3_000).pays(auditor, gov.Asset(usdc), units(2_000, 6), 2_000),
		begin("between-own", "Moves 100 000 USDC between two accounts of the DAO", transfer(usdc, vault, units(100_000, 6))),
		begin("stricter-collateral", "Lowers the collateral factor of a market from 80 % to 70 %", collateralFactor(700_000_000_000_000_000)).
			param("collateral-factor", 0.8, 0.7, gov.Tighter),
		begin("stricter-reserve", "Raises the reserve factor of a market from 10 % to 12 %", call(market, gov.KindParameter, "_setReserveFactor(uint256)", number(120_000_000_000_000_000))).
			param("reserve-factor", 0.10, 0.12, gov.Tighter),
		begin("stricter-close", "Lowers the close factor from 50 % to 45 %", call(market, gov.KindParameter, "_setCloseFactor(uint256)", number(450_000_000_000_000_000))).
			param("close-factor", 0.50, 0.45, gov.Tighter),
		begin("looser-collateral", "Raises the collateral factor of a market from 70 % to 72 %", collateralFactor(720_000_000_000_000_000)).
			param("collateral-factor", 0.70, 0.72, gov.Looser),
		begin("text-record", "Writes a text record of the DAO's own name", call(records, gov.KindCall, "setText(bytes32,string,string)", number(1), bytes(3), bytes(9))),
		begin("allowance-back", "Takes back an allowance", call(usdc, gov.KindApproval, "approve(address,uint256)", address(stranger), number(0))),
		begin("stream-back", "Ends a stream of payments", call(payroll, gov.KindStream, "cancelStream(uint256)", number(4))),
		begin("role-back", "Takes a role from an account outside", call(market, gov.KindRole, "revokeRole(bytes32,address)", number(1), address(stranger))).
			grants(market, stranger, gov.RoleRevoked),
		begin("role-own", "Gives the DAO's own timelock a role", call(market, gov.KindRole, "grantRole(bytes32,address)", number(1), address(timelock))).
			grants(market, timelock, gov.RoleGranted),
		begin("longer-delay", "Raises the timelock's delay from 2 days to 3", call(timelock, gov.KindTimelock, "updateDelay(uint256)", number(259_200))).
			but(func(f *gov.Facts) { f.Timelock.DelayAfter = gov.Known(int64(259_200)) }),
		begin("burn", "Burns 1 000 of the DAO's own tokens", call(token, gov.KindBurn, "burn(uint256)", amount(units(1_000, 18)))).
			but(func(f *gov.Facts) { f.Supply.BurnedBps = gov.Known(10.0) }),
		begin("tiny-mint", "Creates tokens for the DAO's own treasury, 0.1 % of the supply", call(token, gov.KindMint, "mint(address,uint256)", address(timelock), amount(units(1_000, 18)))).
			but(func(f *gov.Facts) { f.Supply.MintedBps = gov.Known(10.0) }),
		begin("audited-upgrade", "Upgrades a market to an implementation that has stood for a year", call(market, gov.KindUpgrade, "upgradeTo(address)", address(account(30)))).
			but(func(f *gov.Facts) {
				f.Upgrades = gov.Known([]gov.Change{{Proxy: market, Before: account(29), After: account(30), AfterCode: gov.CodeHash{1}}})
			}),
		begin("higher-quorum", "Raises the quorum from 4 % to 5 %", call(governor, gov.KindGovernor, "updateQuorumNumerator(uint256)", number(5))).
			but(func(f *gov.Facts) { f.Governor.Quorum.After = gov.Known(500_000.0) }),
		begin("listing", "Lists a market that nobody can borrow against yet", call(market, gov.KindListing, "_supportMarket(address)", address(account(31)))),
		begin("wrap", "Wraps 10 ETH of the DAO", func() gov.Call {
			c := call(account(32), gov.KindCall, "deposit()")
			c.Value = units(10, 18)
			return c
		}()),
	}
}
