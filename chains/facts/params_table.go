package facts

import (
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// Sense says which way a parameter gets tighter: less can be borrowed, drained or passed.
type Sense uint8

// The senses. Neither: the number alone does not say.
const (
	Neither Sense = iota
	Lower         // a lower value is tighter
	Higher        // a higher value is tighter
)

// Parameter is one entry of the table of known parameters: a setter of one value, how it is read, and which way is
// tighter, with the reason.
type Parameter struct {
	Setter gov.Signature
	// Value is the position of the new value among the setter's arguments. Where it is an array, Keys are arrays as
	// long, and each element is one change.
	Value int
	// Keys are the positions of the arguments that the getter takes.
	Keys []int
	// Getters read the value now in force; the first that answers with what was set counts.
	Getters []Getter
	Sense   Sense
	// Also are further values that the same call sets and the same getter shows.
	Also []Also
	// ZeroUnlimited: zero stands for no limit, not for the smallest value.
	ZeroUnlimited bool
	Reason        string
}

// Also is a further value of a setter: the position among the arguments, the word of the getter's answer, its sense.
type Also struct {
	Value, Word int
	Sense       Sense
}

// Getter is a method and the word of its answer that has the value, from 0.
type Getter struct {
	Signature gov.Signature
	Word      int
}

func get(signature gov.Signature) []Getter { return []Getter{{signature, 0}} }

// comet reads a scalar of Compound III from the getter of that name, or from the configurator's whole configuration.
func comet(signature gov.Signature, word int) []Getter {
	return []Getter{{signature, 0}, {"getConfiguration(address)", 1 + word}}
}

const (
	reasonFactor   = "a lower factor lets less be borrowed against the same collateral"
	reasonCap      = "a lower cap bounds what can be lost in one market; 0 is the smallest"
	reasonCapZero  = "a lower cap bounds what can be lost in one market; 0 means that there is no cap"
	reasonReserve  = "a larger share of interest goes to the reserve that stands for bad debt"
	reasonPause    = "what is paused cannot be used against the protocol; opening it again can"
	reasonSpeed    = "a lower speed spends less of the treasury's tokens"
	reasonRate     = "a higher rate makes borrowing dearer and pulls deposits back to the market"
	reasonMinimum  = "a higher minimum keeps positions out that are too small to be worth liquidating"
	reasonWho      = "another contract or person takes over: an address has no size"
	reasonBalance  = "it moves value between two sides of the market: neither is the protocol's safety"
	reasonDelay    = "more time between a proposal and its effect lets holders see and leave"
	reasonFlashFee = "a higher fee makes borrowing within one transaction dearer"
)

// Parameters is the table of known parameters, by project. Each entry is shown by an executed change in the tests.
var Parameters = []Parameter{
	// Compound v2.
	{Setter: "_setCollateralFactor(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"markets(address)", 1}}, Sense: Lower, Reason: reasonFactor},
	{Setter: "_setCloseFactor(uint256)", Getters: get("closeFactorMantissa()"), Reason: "more may be liquidated at once: it clears debt faster and hurts borrowers more"},
	{Setter: "_setLiquidationIncentive(uint256)", Getters: get("liquidationIncentiveMantissa()"), Reason: "a larger incentive finds liquidators sooner and leaves less collateral for the debt"},
	{Setter: "_setReserveFactor(uint256)", Getters: get("reserveFactorMantissa()"), Sense: Higher, Reason: reasonReserve},
	{Setter: "_setInterestRateModel(address)", Getters: get("interestRateModel()"), Reason: reasonWho},
	{Setter: "_setMaxAssets(uint256)", Getters: get("maxAssets()"), Sense: Lower, Reason: "fewer markets for one account keep its liquidation cheap enough to happen"},
	{Setter: "_setCompSpeed(address,uint256)", Value: 1, Keys: []int{0}, Getters: get("compSpeeds(address)"), Sense: Lower, Reason: reasonSpeed},
	{Setter: "_setCompRate(uint256)", Getters: get("compRate()"), Sense: Lower, Reason: reasonSpeed},
	{Setter: "_setContributorCompSpeed(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"compContributorSpeeds(address)", 0}}, Sense: Lower, Reason: reasonSpeed},
	{Setter: "_setPriceOracle(address)", Getters: get("oracle()"), Reason: reasonWho},
	{Setter: "_setPauseGuardian(address)", Getters: get("pauseGuardian()"), Reason: reasonWho},
	{Setter: "_setBorrowCapGuardian(address)", Getters: get("borrowCapGuardian()"), Reason: reasonWho},
	{Setter: "_setMarketBorrowCaps(address[],uint256[])", Value: 1, Keys: []int{0}, Getters: get("borrowCaps(address)"), Sense: Lower, ZeroUnlimited: true, Reason: reasonCapZero},
	{Setter: "_setMintPaused(address,bool)", Value: 1, Keys: []int{0}, Getters: get("mintGuardianPaused(address)"), Sense: Higher, Reason: reasonPause},
	{Setter: "_setBorrowPaused(address,bool)", Value: 1, Keys: []int{0}, Getters: get("borrowGuardianPaused(address)"), Sense: Higher, Reason: reasonPause},
	{Setter: "_setTransferPaused(bool)", Getters: get("transferGuardianPaused()"), Sense: Higher, Reason: reasonPause},
	{Setter: "_setSeizePaused(bool)", Getters: get("seizeGuardianPaused()"), Reason: "without seizing nobody is liquidated, so bad debt can grow while it is paused"},
	// Markets in Compound's manner under newer names.
	{Setter: "setCollateralFactor(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"collateralFactor(address)", 0}, {"markets(address)", 1}}, Sense: Lower, Reason: reasonFactor},
	// Compound III, configurator.
	{Setter: "updateAssetBorrowCollateralFactor(address,address,uint64)", Value: 2, Keys: []int{0, 1}, Getters: get("assetBorrowCollateralFactor(address,address)"), Sense: Lower, Reason: reasonFactor},
	{Setter: "updateAssetLiquidateCollateralFactor(address,address,uint64)", Value: 2, Keys: []int{0, 1}, Getters: get("assetLiquidateCollateralFactor(address,address)"), Sense: Lower, Reason: "positions are liquidated sooner, with more collateral left"},
	{Setter: "updateAssetLiquidationFactor(address,address,uint64)", Value: 2, Keys: []int{0, 1}, Getters: get("assetLiquidationFactor(address,address)"), Sense: Lower, Reason: "the protocol takes seized collateral at a lower value"},
	{Setter: "updateAssetSupplyCap(address,address,uint128)", Value: 2, Keys: []int{0, 1}, Getters: get("assetSupplyCap(address,address)"), Sense: Lower, Reason: reasonCap},
	{Setter: "updateAssetPriceFeed(address,address,address)", Value: 2, Keys: []int{0, 1}, Getters: get("assetPriceFeed(address,address)"), Reason: reasonWho},
	{Setter: "setSupplyKink(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("supplyKink(address)", 5), Reason: reasonBalance},
	{Setter: "setBorrowKink(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("borrowKink(address)", 9), Sense: Lower, Reason: "the steep part of the rate begins earlier and keeps more liquidity in the market"},
	{Setter: "setSupplyPerYearInterestRateBase(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("supplyPerYearInterestRateBase(address)", 8), Reason: reasonBalance},
	{Setter: "setBorrowPerYearInterestRateBase(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("borrowPerYearInterestRateBase(address)", 12), Sense: Higher, Reason: reasonRate},
	{Setter: "setBorrowPerYearInterestRateSlopeLow(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("borrowPerYearInterestRateSlopeLow(address)", 10), Sense: Higher, Reason: reasonRate},
	{Setter: "setBorrowPerYearInterestRateSlopeHigh(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("borrowPerYearInterestRateSlopeHigh(address)", 11), Sense: Higher, Reason: reasonRate},
	{Setter: "setStoreFrontPriceFactor(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("storeFrontPriceFactor(address)", 13), Reason: reasonBalance},
	{Setter: "setBaseTrackingSupplySpeed(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("baseTrackingSupplySpeed(address)", 15), Sense: Lower, Reason: reasonSpeed},
	{Setter: "setBaseTrackingBorrowSpeed(address,uint64)", Value: 1, Keys: []int{0}, Getters: comet("baseTrackingBorrowSpeed(address)", 16), Sense: Lower, Reason: reasonSpeed},
	{Setter: "setBaseMinForRewards(address,uint104)", Value: 1, Keys: []int{0}, Getters: comet("baseMinForRewards(address)", 17), Sense: Higher, Reason: "rewards are paid only while the market is large enough not to be farmed alone"},
	{Setter: "setBaseBorrowMin(address,uint104)", Value: 1, Keys: []int{0}, Getters: comet("baseBorrowMin(address)", 18), Sense: Higher, Reason: reasonMinimum},
	{Setter: "setTargetReserves(address,uint104)", Value: 1, Keys: []int{0}, Getters: comet("targetReserves(address)", 19), Sense: Higher, Reason: "seized collateral is kept back from sale until the reserves are larger"},
	// Aave v2 and v3. Their configurator has no getters; those of the data provider stand beside it on some deployments.
	{Setter: "configureReserveAsCollateral(address,uint256,uint256,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"getReserveConfigurationData(address)", 1}}, Sense: Lower, Also: []Also{{2, 2, Lower}, {3, 3, Neither}}, Reason: "a lower loan to value lets less be borrowed against the same collateral"},
	{Setter: "setReserveFactor(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"getReserveFactor(address)", 0}, {"getReserveConfigurationData(address)", 4}}, Sense: Higher, Reason: reasonReserve},
	{Setter: "setBorrowCap(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"getBorrowCap(address)", 0}, {"getReserveCaps(address)", 0}}, Sense: Lower, ZeroUnlimited: true, Reason: reasonCapZero},
	{Setter: "setSupplyCap(address,uint256)", Value: 1, Keys: []int{0}, Getters: []Getter{{"getSupplyCap(address)", 0}, {"getReserveCaps(address)", 1}}, Sense: Lower, ZeroUnlimited: true, Reason: reasonCapZero},
	{Setter: "setLiquidationProtocolFee(address,uint256)", Value: 1, Keys: []int{0}, Getters: get("getLiquidationProtocolFee(address)"), Reason: "it feeds the reserve and leaves less for the liquidator"},
	{Setter: "setReserveFreeze(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getReserveFrozen(address)"), Sense: Higher, Reason: reasonPause},
	{Setter: "setReservePause(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getPaused(address)"), Sense: Higher, Reason: reasonPause},
	{Setter: "setReserveActive(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getReserveActive(address)"), Sense: Lower, Reason: reasonPause},
	{Setter: "setReserveBorrowing(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getReserveBorrowing(address)"), Sense: Lower, Reason: reasonPause},
	{Setter: "setReserveFlashLoaning(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getFlashLoanEnabled(address)"), Sense: Lower, Reason: reasonPause},
	{Setter: "setDebtCeiling(address,uint256)", Value: 1, Keys: []int{0}, Getters: get("getDebtCeiling(address)"), Sense: Lower, ZeroUnlimited: true, Reason: "a lower ceiling bounds what can be borrowed against an isolated asset; 0 takes the asset out of isolation"},
	{Setter: "setUnbackedMintCap(address,uint256)", Value: 1, Keys: []int{0}, Getters: get("getUnbackedMintCap(address)"), Sense: Lower, Reason: "a lower cap bounds what a faulty bridge can mint"},
	{Setter: "setSiloedBorrowing(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getSiloedBorrowing(address)"), Sense: Higher, Reason: "who borrows a siloed asset can borrow nothing else"},
	{Setter: "setBorrowableInIsolation(address,bool)", Value: 1, Keys: []int{0}, Getters: get("getBorrowableInIsolation(address)"), Sense: Lower, Reason: "isolated collateral can then borrow fewer assets"},
	{Setter: "setPoolPause(bool)", Getters: get("getPoolPause()"), Sense: Higher, Reason: reasonPause},
	{Setter: "updateFlashloanPremiumTotal(uint128)", Getters: get("FLASHLOAN_PREMIUM_TOTAL()"), Sense: Higher, Reason: reasonFlashFee},
	{Setter: "updateFlashloanPremiumToProtocol(uint128)", Getters: get("FLASHLOAN_PREMIUM_TO_PROTOCOL()"), Reason: reasonBalance},
	{Setter: "updateBridgeProtocolFee(uint256)", Getters: get("BRIDGE_PROTOCOL_FEE()"), Reason: reasonBalance},
	{Setter: "setReserveInterestRateStrategyAddress(address,address)", Value: 1, Keys: []int{0}, Getters: get("getInterestRateStrategyAddress(address)"), Reason: reasonWho},
	// OpenZeppelin and Compound governance, where it is not the DAO's own (those calls are of kind governor or timelock).
	{Setter: "setVotingDelay(uint48)", Getters: get("votingDelay()"), Sense: Higher, Reason: reasonDelay},
	{Setter: "setVotingPeriod(uint32)", Getters: get("votingPeriod()"), Sense: Higher, Reason: reasonDelay},
	{Setter: "setProposalThreshold(uint256)", Getters: get("proposalThreshold()"), Sense: Higher, Reason: "more tokens are needed to put something to the vote"},
	{Setter: "updateQuorumNumerator(uint256)", Getters: get("quorumNumerator()"), Sense: Higher, Reason: "more votes are needed for something to pass"},
	{Setter: "setLateQuorumVoteExtension(uint48)", Getters: get("lateQuorumVoteExtension()"), Sense: Higher, Reason: "more time to answer when the quorum is met at the last moment"},
	{Setter: "updateDelay(uint256)", Getters: get("getMinDelay()"), Sense: Higher, Reason: reasonDelay},
	{Setter: "setDelay(uint256)", Getters: get("delay()"), Sense: Higher, Reason: reasonDelay},
}

var parametersBySelector = func() map[gov.Selector]Parameter {
	out := map[gov.Selector]Parameter{}
	for _, p := range Parameters {
		out[book.SelectorOf(p.Setter)] = p
	}
	return out
}()
