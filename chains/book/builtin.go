package book

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// group is an ABI that the program ships. A line is the kind of the call and its signature; the kind - is left to the
// rest of the rules (parameter or call).
type group struct {
	name  string
	about string
	lines string
}

// groups are the program's own signatures, written from the interfaces of the projects named. Where two groups have a
// selector, the first one gives its kind.
var groups = []group{
	{"erc20", "ERC-20, with the usual allowance helpers", `
transfer | function transfer(address to, uint256 amount) returns (bool)
transfer | function transferFrom(address from, address to, uint256 amount) returns (bool)
approval | function approve(address spender, uint256 amount) returns (bool)
approval | function increaseAllowance(address spender, uint256 amount) returns (bool)
- | function decreaseAllowance(address spender, uint256 amount) returns (bool)
- | function balanceOf(address account) view returns (uint256)
- | function allowance(address owner, address spender) view returns (uint256)
- | function totalSupply() view returns (uint256)
- | function decimals() view returns (uint8)
- | function name() view returns (string)
- | function symbol() view returns (string)`},
	{"erc20permit", "ERC-2612 and DAI permits", `
approval | function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
approval | function permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)
- | function nonces(address owner) view returns (uint256)
- | function DOMAIN_SEPARATOR() view returns (bytes32)`},
	{"erc20votes", "ERC20Votes and COMP-like votes", `
- | function delegate(address delegatee)
- | function delegateBySig(address delegatee, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s)
- | function delegates(address account) view returns (address)
- | function getVotes(address account) view returns (uint256)
- | function getPastVotes(address account, uint256 timepoint) view returns (uint256)
- | function getPastTotalSupply(uint256 timepoint) view returns (uint256)
- | function getCurrentVotes(address account) view returns (uint96)
- | function getPriorVotes(address account, uint256 blockNumber) view returns (uint96)
- | function clock() view returns (uint48)
- | function CLOCK_MODE() view returns (string)`},
	{"supply", "minting, burning, cap and pause of tokens", `
mint | function mint(address to, uint256 amount)
mint | function mint(uint256 amount)
mint | function mintTo(address to, uint256 amount)
mint | function issue(uint256 amount)
mint | function generateTokens(address owner, uint256 amount) returns (bool)
burn | function burn(uint256 amount)
burn | function burn(address from, uint256 amount)
burn | function burnFrom(address from, uint256 amount)
burn | function destroyTokens(address owner, uint256 amount) returns (bool)
role | function setMinter(address minter)
role | function addMinter(address minter)
role | function removeMinter(address minter)
- | function setCap(uint256 newCap)
- | function setMintCap(uint256 newCap)
- | function cap() view returns (uint256)
- | function pause()
- | function unpause()
- | function paused() view returns (bool)`},
	{"erc721", "ERC-721", `
transfer | function safeTransferFrom(address from, address to, uint256 tokenId)
transfer | function safeTransferFrom(address from, address to, uint256 tokenId, bytes data)
approval | function setApprovalForAll(address operator, bool approved)
- | function isApprovedForAll(address owner, address operator) view returns (bool)
- | function ownerOf(uint256 tokenId) view returns (address)
- | function getApproved(uint256 tokenId) view returns (address)
mint | function safeMint(address to, uint256 tokenId)
transfer | function transferFrom(address from, address to, uint256 tokenId)
approval | function approve(address to, uint256 tokenId)
- | function balanceOf(address owner) view returns (uint256)`},
	{"erc1155", "ERC-1155", `
transfer | function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes data)
transfer | function safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] values, bytes data)
approval | function setApprovalForAll(address operator, bool approved)
- | function isApprovedForAll(address owner, address operator) view returns (bool)
- | function balanceOf(address account, uint256 id) view returns (uint256)`},
	{"accesscontrol", "OpenZeppelin AccessControl", `
role | function grantRole(bytes32 role, address account)
role | function revokeRole(bytes32 role, address account)
role | function renounceRole(bytes32 role, address account)
role | function setRoleAdmin(bytes32 role, bytes32 adminRole)
role | function beginDefaultAdminTransfer(address newAdmin)
role | function acceptDefaultAdminTransfer()
role | function cancelDefaultAdminTransfer()
role | function changeDefaultAdminDelay(uint48 newDelay)
- | function hasRole(bytes32 role, address account) view returns (bool)
- | function getRoleAdmin(bytes32 role) view returns (bytes32)`},
	{"ownable", "OpenZeppelin Ownable and Ownable2Step", `
role | function transferOwnership(address newOwner)
role | function acceptOwnership()
role | function renounceOwnership()
- | function owner() view returns (address)
- | function pendingOwner() view returns (address)`},
	{"admin", "admins of Compound, Uniswap and others", `
role | function setPendingAdmin(address pendingAdmin)
role | function _setPendingAdmin(address newPendingAdmin)
role | function acceptAdmin()
role | function _acceptAdmin()
role | function changeAdmin(address newAdmin)
role | function setAdmin(address newAdmin)
role | function setOwner(address newOwner)
role | function setAuthority(address newAuthority)
role | function setGovernance(address newGovernance)
role | function transferGovernance(address newGovernance)
role | function grantPermission(address entity, address app, bytes32 role)
role | function revokePermission(address entity, address app, bytes32 role)
role | function createPermission(address entity, address app, bytes32 role, address manager)
role | function addPoolAdmin(address admin)
role | function addRiskAdmin(address admin)
role | function addEmergencyAdmin(address admin)
role | function addAssetListingAdmin(address admin)
role | function removePoolAdmin(address admin)
role | function removeRiskAdmin(address admin)
role | function removeEmergencyAdmin(address admin)
role | function setEmergencyAdmin(address admin)
role | function setPoolAdmin(address admin)
- | function admin() view returns (address)
- | function pendingAdmin() view returns (address)`},
	{"governor", "OpenZeppelin Governor 4 and 5 with the usual extensions", `
governor | function propose(address[] targets, uint256[] values, bytes[] calldatas, string description) returns (uint256)
governor | function queue(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) returns (uint256)
governor | function execute(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) payable returns (uint256)
governor | function cancel(address[] targets, uint256[] values, bytes[] calldatas, bytes32 descriptionHash) returns (uint256)
governor | function castVote(uint256 proposalId, uint8 support) returns (uint256)
governor | function castVoteWithReason(uint256 proposalId, uint8 support, string reason) returns (uint256)
governor | function castVoteWithReasonAndParams(uint256 proposalId, uint8 support, string reason, bytes params) returns (uint256)
governor | function relay(address target, uint256 value, bytes data) payable
- | function setVotingDelay(uint48 newVotingDelay)
- | function setVotingDelay(uint256 newVotingDelay)
- | function setVotingPeriod(uint32 newVotingPeriod)
- | function setVotingPeriod(uint256 newVotingPeriod)
- | function setProposalThreshold(uint256 newProposalThreshold)
- | function updateQuorumNumerator(uint256 newQuorumNumerator)
- | function setLateQuorumVoteExtension(uint48 newVoteExtension)
- | function setLateQuorumVoteExtension(uint64 newVoteExtension)
governor | function updateTimelock(address newTimelock)
governor | function setProposalGuardian(address newProposalGuardian)
governor | function updateSuperQuorumNumerator(uint256 newSuperQuorumNumerator)
- | function votingDelay() view returns (uint256)
- | function votingPeriod() view returns (uint256)
- | function proposalThreshold() view returns (uint256)
- | function quorumNumerator() view returns (uint256)
- | function quorum(uint256 timepoint) view returns (uint256)
- | function timelock() view returns (address)
- | function lateQuorumVoteExtension() view returns (uint64)`},
	{"bravo", "Compound's Governor Bravo", `
governor | function propose(address[] targets, uint256[] values, string[] signatures, bytes[] calldatas, string description) returns (uint256)
governor | function queue(uint256 proposalId)
governor | function execute(uint256 proposalId) payable
governor | function cancel(uint256 proposalId)
- | function _setVotingDelay(uint256 newVotingDelay)
- | function _setVotingPeriod(uint256 newVotingPeriod)
- | function _setProposalThreshold(uint256 newProposalThreshold)
governor | function _setWhitelistAccountExpiration(address account, uint256 expiration)
governor | function _setWhitelistGuardian(address account)
governor | function _setProposalGuardian(address account, uint96 expiration)
governor | function _initiate(address governorAlpha)
upgrade | function _setImplementation(address implementation)
role | function _setPendingAdmin(address newPendingAdmin)
role | function _acceptAdmin()
- | function votingDelay() view returns (uint256)
- | function votingPeriod() view returns (uint256)
- | function proposalThreshold() view returns (uint256)
- | function quorumVotes() view returns (uint256)
- | function timelock() view returns (address)
- | function admin() view returns (address)
- | function implementation() view returns (address)`},
	{"alpha", "Compound's Governor Alpha", `
governor | function __acceptAdmin()
governor | function __abdicate()
governor | function __queueSetTimelockPendingAdmin(address newPendingAdmin, uint256 eta)
governor | function __executeSetTimelockPendingAdmin(address newPendingAdmin, uint256 eta)`},
	{"timelock", "OpenZeppelin TimelockController", `
timelock | function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)
timelock | function scheduleBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay)
timelock | function execute(address target, uint256 value, bytes payload, bytes32 predecessor, bytes32 salt) payable
timelock | function executeBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt) payable
timelock | function cancel(bytes32 id)
- | function updateDelay(uint256 newDelay)
- | function getMinDelay() view returns (uint256)
role | function grantRole(bytes32 role, address account)
role | function revokeRole(bytes32 role, address account)
role | function renounceRole(bytes32 role, address account)
- | function hasRole(bytes32 role, address account) view returns (bool)
- | function getRoleAdmin(bytes32 role) view returns (bytes32)`},
	{"compound-timelock", "Compound's Timelock", `
timelock | function queueTransaction(address target, uint256 value, string signature, bytes data, uint256 eta) returns (bytes32)
timelock | function executeTransaction(address target, uint256 value, string signature, bytes data, uint256 eta) payable returns (bytes)
timelock | function cancelTransaction(address target, uint256 value, string signature, bytes data, uint256 eta)
- | function setDelay(uint256 delay)
role | function setPendingAdmin(address pendingAdmin)
role | function acceptAdmin()
- | function delay() view returns (uint256)
- | function admin() view returns (address)
- | function pendingAdmin() view returns (address)`},
	{"proxy", "transparent, UUPS, beacon and diamond proxies, and their admins", `
upgrade | function upgradeTo(address newImplementation)
upgrade | function upgradeToAndCall(address newImplementation, bytes data) payable
upgrade | function upgrade(address proxy, address implementation)
upgrade | function upgradeAndCall(address proxy, address implementation, bytes data) payable
upgrade | function setImplementation(address implementation)
upgrade | function _setImplementation(address implementation, bool allowResign, bytes becomeImplementationData)
upgrade | function _setImplementation(address implementation)
upgrade | function _setPendingImplementation(address newPendingImplementation) returns (uint256)
upgrade | function _become(address unitroller)
upgrade | function _acceptImplementation() returns (uint256)
upgrade | function diamondCut((address facetAddress, uint8 action, bytes4[] functionSelectors)[] cut, address init, bytes data)
upgrade | function upgradeTo(address newImplementation, bool forceCall)
upgrade | function newVersion(uint16[3] newSemanticVersion, address contractAddress, bytes contentURI)
upgrade | function setApp(bytes32 namespace, bytes32 appId, address app)
upgrade | function deployAndUpgradeTo(address configurator, address comet)
upgrade | function setPoolImpl(address newPoolImpl)
upgrade | function setPoolConfiguratorImpl(address newPoolConfiguratorImpl)
upgrade | function setLendingPoolImpl(address pool)
upgrade | function setLendingPoolConfiguratorImpl(address configurator)
upgrade | function setAddressAsProxy(bytes32 id, address newImplementation)
role | function changeProxyAdmin(address proxy, address newAdmin)
role | function changeAdmin(address newAdmin)
- | function implementation() view returns (address)
- | function proxiableUUID() view returns (bytes32)`},
	{"safe", "Safe wallets", `
- | function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) payable returns (bool)
- | function execTransactionFromModule(address to, uint256 value, bytes data, uint8 operation) returns (bool)
- | function execTransactionFromModuleReturnData(address to, uint256 value, bytes data, uint8 operation) returns (bool, bytes)
role | function enableModule(address module)
role | function disableModule(address prevModule, address module)
role | function setGuard(address guard)
role | function setModuleGuard(address moduleGuard)
role | function setFallbackHandler(address handler)
role | function addOwnerWithThreshold(address owner, uint256 threshold)
role | function removeOwner(address prevOwner, address owner, uint256 threshold)
role | function swapOwner(address prevOwner, address oldOwner, address newOwner)
role | function changeThreshold(uint256 threshold)
- | function approveHash(bytes32 hashToApprove)`},
	{"multisend", "Safe's MultiSend", `
- | function multiSend(bytes transactions) payable`},
	{"multicall", "Multicall and Multicall3", `
- | function aggregate((address target, bytes callData)[] calls) payable returns (uint256, bytes[])
- | function tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls) payable returns ((bool, bytes)[])
- | function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable returns ((bool, bytes)[])
- | function aggregate3Value((address target, bool allowFailure, uint256 value, bytes callData)[] calls) payable returns ((bool, bytes)[])
- | function multicall(bytes[] data) payable returns (bytes[])
- | function multicall(uint256 deadline, bytes[] data) payable returns (bytes[])`},
	{"permit2", "Uniswap's Permit2", `
approval | function approve(address token, address spender, uint160 amount, uint48 expiration)
approval | function permit(address owner, ((address token, uint160 amount, uint48 expiration, uint48 nonce) details, address spender, uint256 sigDeadline) permitSingle, bytes signature)
transfer | function transferFrom(address from, address to, uint160 amount, address token)
- | function lockdown((address token, address spender)[] approvals)
- | function allowance(address owner, address token, address spender) view returns (uint160 amount, uint48 expiration, uint48 nonce)`},
	{"streams", "payment streams of Aave's collector, Sablier and others", `
stream | function createStream(address recipient, uint256 deposit, address tokenAddress, uint256 startTime, uint256 stopTime) returns (uint256)
stream | function createStream(address recipient, uint256 tokenAmount, address tokenAddress, uint256 startTime, uint256 stopTime, uint8 nonce, address predictedStreamAddress) returns (address)
stream | function createStream(address sender, address recipient, uint128 ratePerSecond, address token, bool transferable) returns (uint256)
stream | function createWithDurations((address sender, address recipient, uint128 totalAmount, address asset, bool cancelable, bool transferable, (uint40 cliff, uint40 total) durations, (address account, uint256 fee) broker) params) returns (uint256)
stream | function createWithTimestamps((address sender, address recipient, uint128 totalAmount, address asset, bool cancelable, bool transferable, (uint40 start, uint40 cliff, uint40 end) timestamps, (address account, uint256 fee) broker) params) returns (uint256)
- | function cancelStream(uint256 streamId)`},
	{"treasury", "payers of treasuries: Aave's collector, Aragon's finance, Compound's grants", `
transfer | function transfer(address token, address recipient, uint256 amount)
approval | function approve(address token, address recipient, uint256 amount)
transfer | function newImmediatePayment(address token, address receiver, uint256 amount, string reference)
transfer | function _grantComp(address recipient, uint256 amount)
transfer | function withdrawTo(address recipient, uint256 amount)
transfer | function withdrawReserves(address to, uint256 amount)
transfer | function pay(address to, uint256 amount)
transfer | function payToken(address token, address to, uint256 amount)
approval | function approveToken(address token, address spender, uint256 amount)`},
	{"listing", "new markets", `
listing | function _supportMarket(address cToken) returns (uint256)
listing | function initReserve(address aTokenImpl, address stableDebtTokenImpl, address variableDebtTokenImpl, uint8 underlyingAssetDecimals, address interestRateStrategyAddress)
listing | function initReserve(address asset, address aTokenAddress, address stableDebtAddress, address variableDebtAddress, address interestRateStrategyAddress)
listing | function initReserves((address, address, address, uint8, address, address, address, address, string, string, string, string, string, string, bytes)[] input)
listing | function batchInitReserve((address, address, address, uint8, address, address, address, address, string, string, string, string, string, string, bytes)[] input)
listing | function addAsset(address cometProxy, (address asset, address priceFeed, uint8 decimals, uint64 borrowCollateralFactor, uint64 liquidateCollateralFactor, uint64 liquidationFactor, uint128 supplyCap) assetConfig)
listing | function listAsset(address asset, uint256 collateralFactor, uint256 reserveFactor, uint256 supplyCap, uint256 borrowCap)
- | function _addCompMarkets(address[] cTokens)
- | function setAssetSources(address[] assets, address[] sources)
- | function enableFeeAmount(uint24 fee, int24 tickSpacing)`},
	{"bridge", "messages to other chains", `
bridge | function createRetryableTicket(address to, uint256 l2CallValue, uint256 maxSubmissionCost, address excessFeeRefundAddress, address callValueRefundAddress, uint256 gasLimit, uint256 maxFeePerGas, bytes data) payable returns (uint256)
bridge | function sendMessage(address target, bytes message, uint32 minGasLimit) payable
bridge | function sendMessageToChild(address receiver, bytes data)
bridge | function sendTxToL1(address destination, bytes data) payable returns (uint256)
bridge | function depositTransaction(address to, uint256 value, uint64 gasLimit, bool isCreation, bytes data) payable
bridge | function bridgeERC20To(address localToken, address remoteToken, address to, uint256 amount, uint32 minGasLimit, bytes extraData)
bridge | function depositERC20To(address l1Token, address l2Token, address to, uint256 amount, uint32 l2Gas, bytes data)
bridge | function depositFor(address user, address rootToken, bytes depositData)
bridge | function outboundTransfer(address token, address to, uint256 amount, uint256 maxGas, uint256 gasPriceBid, bytes data) payable returns (bytes)`},
	{"comptroller", "Compound v2: Comptroller", `
- | function _setCollateralFactor(address cToken, uint256 newCollateralFactorMantissa) returns (uint256)
- | function _setCloseFactor(uint256 newCloseFactorMantissa) returns (uint256)
- | function _setLiquidationIncentive(uint256 newLiquidationIncentiveMantissa) returns (uint256)
- | function _setMaxAssets(uint256 newMaxAssets) returns (uint256)
- | function _setCompSpeed(address cToken, uint256 compSpeed)
- | function _setCompSpeeds(address[] cTokens, uint256[] supplySpeeds, uint256[] borrowSpeeds)
- | function _setCompRate(uint256 compRate)
- | function _setContributorCompSpeed(address contributor, uint256 compSpeed)
- | function _setPriceOracle(address newOracle) returns (uint256)
- | function _setPauseGuardian(address newPauseGuardian) returns (uint256)
- | function _setBorrowCapGuardian(address newBorrowCapGuardian)
- | function _setMarketBorrowCaps(address[] cTokens, uint256[] newBorrowCaps)
- | function _setMintPaused(address cToken, bool state) returns (bool)
- | function _setBorrowPaused(address cToken, bool state) returns (bool)
- | function _setTransferPaused(bool state) returns (bool)
- | function _setSeizePaused(bool state) returns (bool)
listing | function _supportMarket(address cToken) returns (uint256)
transfer | function _grantComp(address recipient, uint256 amount)
- | function markets(address cToken) view returns (bool isListed, uint256 collateralFactorMantissa, bool isComped)
- | function closeFactorMantissa() view returns (uint256)
- | function liquidationIncentiveMantissa() view returns (uint256)
- | function oracle() view returns (address)
- | function borrowCaps(address cToken) view returns (uint256)
- | function compSpeeds(address cToken) view returns (uint256)`},
	{"ctoken", "Compound v2: cTokens", `
- | function _setReserveFactor(uint256 newReserveFactorMantissa) returns (uint256)
- | function _setInterestRateModel(address newInterestRateModel) returns (uint256)
- | function _setComptroller(address newComptroller) returns (uint256)
- | function _reduceReserves(uint256 reduceAmount) returns (uint256)
- | function _addReserves(uint256 addAmount) returns (uint256)
role | function _setPendingAdmin(address newPendingAdmin)
role | function _acceptAdmin()
upgrade | function _setImplementation(address implementation, bool allowResign, bytes becomeImplementationData)
- | function reserveFactorMantissa() view returns (uint256)
- | function interestRateModel() view returns (address)`},
	{"comet-configurator", "Compound III: Configurator", `
- | function updateAssetBorrowCollateralFactor(address cometProxy, address asset, uint64 newBorrowCF)
- | function updateAssetLiquidateCollateralFactor(address cometProxy, address asset, uint64 newLiquidateCF)
- | function updateAssetLiquidationFactor(address cometProxy, address asset, uint64 newLiquidationFactor)
- | function updateAssetSupplyCap(address cometProxy, address asset, uint128 newSupplyCap)
- | function updateAssetPriceFeed(address cometProxy, address asset, address newPriceFeed)
- | function setSupplyKink(address cometProxy, uint64 newSupplyKink)
- | function setBorrowKink(address cometProxy, uint64 newBorrowKink)
- | function setSupplyPerYearInterestRateBase(address cometProxy, uint64 newBase)
- | function setBorrowPerYearInterestRateBase(address cometProxy, uint64 newBase)
- | function setBorrowPerYearInterestRateSlopeLow(address cometProxy, uint64 newSlope)
- | function setBorrowPerYearInterestRateSlopeHigh(address cometProxy, uint64 newSlope)
- | function setStoreFrontPriceFactor(address cometProxy, uint64 newStoreFrontPriceFactor)
- | function setBaseTrackingSupplySpeed(address cometProxy, uint64 newBaseTrackingSupplySpeed)
- | function setBaseTrackingBorrowSpeed(address cometProxy, uint64 newBaseTrackingBorrowSpeed)
- | function setBaseMinForRewards(address cometProxy, uint104 newBaseMinForRewards)
- | function setBaseBorrowMin(address cometProxy, uint104 newBaseBorrowMin)
- | function setTargetReserves(address cometProxy, uint104 newTargetReserves)
role | function setGovernor(address cometProxy, address newGovernor)
role | function setPauseGuardian(address cometProxy, address newPauseGuardian)
upgrade | function deployAndUpgradeTo(address configurator, address comet)`},
	{"aave-configurator", "Aave v2 and v3: PoolConfigurator", `
- | function configureReserveAsCollateral(address asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus)
- | function setReserveFactor(address asset, uint256 newReserveFactor)
- | function setBorrowCap(address asset, uint256 newBorrowCap)
- | function setSupplyCap(address asset, uint256 newSupplyCap)
- | function setLiquidationProtocolFee(address asset, uint256 newFee)
- | function setReserveFreeze(address asset, bool freeze)
- | function freezeReserve(address asset)
- | function unfreezeReserve(address asset)
- | function setReservePause(address asset, bool paused)
- | function setReserveActive(address asset, bool active)
- | function setReserveBorrowing(address asset, bool enabled)
- | function enableBorrowingOnReserve(address asset, bool stableBorrowRateEnabled)
- | function disableBorrowingOnReserve(address asset)
- | function setReserveFlashLoaning(address asset, bool enabled)
- | function setDebtCeiling(address asset, uint256 newDebtCeiling)
- | function setUnbackedMintCap(address asset, uint256 newUnbackedMintCap)
- | function setSiloedBorrowing(address asset, bool siloed)
- | function setBorrowableInIsolation(address asset, bool borrowable)
- | function setPoolPause(bool paused)
- | function updateFlashloanPremiumTotal(uint128 newTotal)
- | function updateFlashloanPremiumToProtocol(uint128 newToProtocol)
- | function updateBridgeProtocolFee(uint256 newBridgeProtocolFee)
- | function setReserveInterestRateStrategyAddress(address asset, address newRateStrategyAddress)`},
	{"ens", "ENS registry and resolver", `
- | function setText(bytes32 node, string key, string value)
- | function setResolver(bytes32 node, address resolver)
- | function setSubnodeRecord(bytes32 node, bytes32 label, address owner, address resolver, uint64 ttl)
role | function setOwner(bytes32 node, address owner)
role | function addController(address controller)
role | function setController(address controller, bool enabled)
- | function setInterface(bytes32 node, bytes4 interfaceID, address implementer)`},
}

// own are the program's signatures by selector, each with its kind (empty where the rest of the rules decides).
var own, shipped = readGroups()

type ownMethod struct {
	method Method
	kind   gov.Kind
}

func readGroups() (map[gov.Selector]ownMethod, map[string]ABI) {
	methods, abis := map[gov.Selector]ownMethod{}, map[string]ABI{}
	for _, g := range groups {
		var list []Method
		for _, line := range strings.Split(strings.TrimSpace(g.lines), "\n") {
			word, text, ok := strings.Cut(line, " | ")
			kind := gov.Kind(word)
			if word == "-" {
				kind = ""
			}
			m, err := ParseSignature(text)
			if err != nil || !ok || kind != "" && !slices.Contains(gov.Kinds, kind) {
				panic(fmt.Sprintf("chains/book: line %q of group %s: %v", line, g.name, err))
			}
			list = append(list, m)
			if _, there := methods[m.Selector()]; !there {
				methods[m.Selector()] = ownMethod{m, kind}
			}
		}
		abis[g.name] = abiOf(list)
	}
	for _, family := range impact.Meanings { // what is understood has a name too, whether or not an ABI of it is shipped
		for _, line := range family.Lines {
			m, err := ParseSignature("function " + string(line.Signature))
			if err != nil {
				panic(fmt.Sprintf("chains/book: %s in the table of meanings: %v", line.Signature, err))
			}
			if _, there := methods[m.Selector()]; !there {
				methods[m.Selector()] = ownMethod{m, kindOf(line)}
			}
		}
	}
	return methods, abis
}

// kindOf is the kind of a call by the first thing that its function declares; empty where that says nothing.
func kindOf(m impact.Meaning) gov.Kind {
	if len(m.Says) == 0 {
		return ""
	}
	return kindOfImpact(m.Says[0].Kind)
}

func kindOfImpact(k gov.ImpactKind) gov.Kind {
	switch k {
	case gov.ImpactPays:
		return gov.KindTransfer
	case gov.ImpactAllows:
		return gov.KindApproval
	case gov.ImpactStreams:
		return gov.KindStream
	case gov.ImpactMints:
		return gov.KindMint
	case gov.ImpactBurns:
		return gov.KindBurn
	case gov.ImpactGrants, gov.ImpactOpens, gov.ImpactRevokes:
		return gov.KindRole
	case gov.ImpactUpgrades:
		return gov.KindUpgrade
	case gov.ImpactLists:
		return gov.KindListing
	case gov.ImpactSends:
		return gov.KindBridge
	}
	return ""
}

// Own finds a method of the program's own tables and its kind, which is empty where the selector alone does not say.
func Own(s gov.Selector) (Method, gov.Kind, bool) {
	m, ok := own[s]
	return m.method, m.kind, ok
}

// ABIName is an ABI that the program ships.
type ABIName struct{ Name, About string }

// Names lists the shipped ABIs.
func Names() []ABIName {
	out := make([]ABIName, len(groups))
	for i, g := range groups {
		out[i] = ABIName{g.name, g.about}
	}
	return out
}

// Shipped is the ABI of a shipped name.
func Shipped(name string) (ABI, bool) {
	a, ok := shipped[name]
	return a, ok
}

// The ABIs bound to the DAO's own contracts.
var (
	tokenABI    = Union(shipped["erc20"], shipped["erc20permit"], shipped["erc20votes"])
	governorABI = map[gov.Flavour]ABI{
		gov.OpenZeppelin5: shipped["governor"],
		gov.OpenZeppelin4: shipped["governor"],
		gov.GovernorBravo: shipped["bravo"],
		gov.GovernorAlpha: Union(shipped["alpha"]),
	}
	timelockABI = map[gov.Flavour]ABI{
		gov.OpenZeppelin5: shipped["timelock"],
		gov.OpenZeppelin4: Union(shipped["timelock"], shipped["compound-timelock"]),
		gov.GovernorBravo: shipped["compound-timelock"],
		gov.GovernorAlpha: shipped["compound-timelock"],
	}
)

// OwnABI is the ABI bound to one of the DAO's own contracts by what it is; ok is false for an account that is neither
// governor, timelock nor token, such as a treasury account, which must be in the operator's book.
func OwnABI(dao gov.DAO, flavour gov.Flavour, a gov.Address) (bound ABI, ok bool) {
	if a.IsZero() {
		return ABI{}, false
	}
	switch a {
	case dao.Governor:
		bound, ok = governorABI[flavour]
	case dao.Timelock:
		bound, ok = timelockABI[flavour]
	case dao.Token:
		bound, ok = tokenABI, true
	}
	return bound, ok
}
