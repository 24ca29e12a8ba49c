// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// One contract with the setters of well known parameters under their real
/// signatures (Compound v2, Comet's configurator, Aave v3, OpenZeppelin), each
/// with a getter, so that a change can be executed and read back.
contract ParamBox is Ownable {
    event ParamSet(bytes4 indexed selector, address indexed asset, uint256 oldValue, uint256 newValue);

    mapping(bytes4 selector => mapping(address asset => uint256)) internal _v;

    constructor(address owner_) Ownable(owner_) {}

    function _set(address asset, uint256 value) internal onlyOwner {
        emit ParamSet(msg.sig, asset, _v[msg.sig][asset], value);
        _v[msg.sig][asset] = value;
    }

    function _get(bytes4 selector, address asset) internal view returns (uint256) {
        return _v[selector][asset];
    }

    /// Two addresses make one key: an asset inside one Comet.
    function _pair(address a, address b) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(a, b)))));
    }

    function _addr(address a) internal pure returns (uint256) {
        return uint256(uint160(a));
    }

    // Compound v2: Comptroller and cToken.

    function _setCollateralFactor(address cToken, uint256 value) external {
        _set(cToken, value);
    }

    function collateralFactors(address cToken) external view returns (uint256) {
        return _get(this._setCollateralFactor.selector, cToken);
    }

    function _setCloseFactor(uint256 value) external {
        _set(address(0), value);
    }

    function closeFactorMantissa() external view returns (uint256) {
        return _get(this._setCloseFactor.selector, address(0));
    }

    function _setLiquidationIncentive(uint256 value) external {
        _set(address(0), value);
    }

    function liquidationIncentiveMantissa() external view returns (uint256) {
        return _get(this._setLiquidationIncentive.selector, address(0));
    }

    function _setReserveFactor(uint256 value) external {
        _set(address(0), value);
    }

    function reserveFactorMantissa() external view returns (uint256) {
        return _get(this._setReserveFactor.selector, address(0));
    }

    function _setInterestRateModel(address value) external {
        _set(address(0), _addr(value));
    }

    function interestRateModel() external view returns (address) {
        return address(uint160(_get(this._setInterestRateModel.selector, address(0))));
    }

    function _setMaxAssets(uint256 value) external {
        _set(address(0), value);
    }

    function maxAssets() external view returns (uint256) {
        return _get(this._setMaxAssets.selector, address(0));
    }

    function _setCompSpeed(address cToken, uint256 value) external {
        _set(cToken, value);
    }

    function compSpeeds(address cToken) external view returns (uint256) {
        return _get(this._setCompSpeed.selector, cToken);
    }

    function _setPriceOracle(address value) external {
        _set(address(0), _addr(value));
    }

    function oracle() external view returns (address) {
        return address(uint160(_get(this._setPriceOracle.selector, address(0))));
    }

    function _setPauseGuardian(address value) external {
        _set(address(0), _addr(value));
    }

    function pauseGuardian() external view returns (address) {
        return address(uint160(_get(this._setPauseGuardian.selector, address(0))));
    }

    function _setBorrowCapGuardian(address value) external {
        _set(address(0), _addr(value));
    }

    function borrowCapGuardian() external view returns (address) {
        return address(uint160(_get(this._setBorrowCapGuardian.selector, address(0))));
    }

    function _setCompRate(uint256 value) external {
        _set(address(0), value);
    }

    function compRate() external view returns (uint256) {
        return _get(this._setCompRate.selector, address(0));
    }

    function _setContributorCompSpeed(address contributor, uint256 value) external {
        _set(contributor, value);
    }

    function compContributorSpeeds(address contributor) external view returns (uint256) {
        return _get(this._setContributorCompSpeed.selector, contributor);
    }

    function _setMintPaused(address cToken, bool value) external {
        _set(cToken, value ? 1 : 0);
    }

    function mintGuardianPaused(address cToken) external view returns (bool) {
        return _get(this._setMintPaused.selector, cToken) != 0;
    }

    function _setBorrowPaused(address cToken, bool value) external {
        _set(cToken, value ? 1 : 0);
    }

    function borrowGuardianPaused(address cToken) external view returns (bool) {
        return _get(this._setBorrowPaused.selector, cToken) != 0;
    }

    function _setTransferPaused(bool value) external {
        _set(address(0), value ? 1 : 0);
    }

    function transferGuardianPaused() external view returns (bool) {
        return _get(this._setTransferPaused.selector, address(0)) != 0;
    }

    function _setSeizePaused(bool value) external {
        _set(address(0), value ? 1 : 0);
    }

    function seizeGuardianPaused() external view returns (bool) {
        return _get(this._setSeizePaused.selector, address(0)) != 0;
    }

    function _setMarketBorrowCaps(address[] calldata cTokens, uint256[] calldata newBorrowCaps) external onlyOwner {
        require(cTokens.length != 0 && cTokens.length == newBorrowCaps.length, "invalid input");
        for (uint256 i = 0; i < cTokens.length; i++) {
            _set(cTokens[i], newBorrowCaps[i]);
        }
    }

    function borrowCaps(address cToken) external view returns (uint256) {
        return _get(this._setMarketBorrowCaps.selector, cToken);
    }

    function markets(address cToken) external view returns (bool isListed, uint256 collateralFactorMantissa, bool isComped) {
        collateralFactorMantissa = _get(this._setCollateralFactor.selector, cToken);
        return (collateralFactorMantissa != 0, collateralFactorMantissa, _get(this._setCompSpeed.selector, cToken) != 0);
    }

    // Compound III: Configurator.

    function updateAssetBorrowCollateralFactor(address cometProxy, address asset, uint64 value) external {
        _set(_pair(cometProxy, asset), value);
    }

    function assetBorrowCollateralFactor(address cometProxy, address asset) external view returns (uint64) {
        return uint64(_get(this.updateAssetBorrowCollateralFactor.selector, _pair(cometProxy, asset)));
    }

    function updateAssetLiquidateCollateralFactor(address cometProxy, address asset, uint64 value) external {
        _set(_pair(cometProxy, asset), value);
    }

    function assetLiquidateCollateralFactor(address cometProxy, address asset) external view returns (uint64) {
        return uint64(_get(this.updateAssetLiquidateCollateralFactor.selector, _pair(cometProxy, asset)));
    }

    function updateAssetLiquidationFactor(address cometProxy, address asset, uint64 value) external {
        _set(_pair(cometProxy, asset), value);
    }

    function assetLiquidationFactor(address cometProxy, address asset) external view returns (uint64) {
        return uint64(_get(this.updateAssetLiquidationFactor.selector, _pair(cometProxy, asset)));
    }

    function updateAssetSupplyCap(address cometProxy, address asset, uint128 value) external {
        _set(_pair(cometProxy, asset), value);
    }

    function assetSupplyCap(address cometProxy, address asset) external view returns (uint128) {
        return uint128(_get(this.updateAssetSupplyCap.selector, _pair(cometProxy, asset)));
    }

    function updateAssetPriceFeed(address cometProxy, address asset, address value) external {
        _set(_pair(cometProxy, asset), _addr(value));
    }

    function assetPriceFeed(address cometProxy, address asset) external view returns (address) {
        return address(uint160(_get(this.updateAssetPriceFeed.selector, _pair(cometProxy, asset))));
    }

    function setSupplyKink(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function supplyKink(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setSupplyKink.selector, cometProxy));
    }

    function setBorrowKink(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function borrowKink(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBorrowKink.selector, cometProxy));
    }

    function setSupplyPerYearInterestRateBase(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function supplyPerYearInterestRateBase(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setSupplyPerYearInterestRateBase.selector, cometProxy));
    }

    function setBorrowPerYearInterestRateBase(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function borrowPerYearInterestRateBase(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBorrowPerYearInterestRateBase.selector, cometProxy));
    }

    function setBorrowPerYearInterestRateSlopeLow(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function borrowPerYearInterestRateSlopeLow(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBorrowPerYearInterestRateSlopeLow.selector, cometProxy));
    }

    function setBorrowPerYearInterestRateSlopeHigh(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function borrowPerYearInterestRateSlopeHigh(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBorrowPerYearInterestRateSlopeHigh.selector, cometProxy));
    }

    function setStoreFrontPriceFactor(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function storeFrontPriceFactor(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setStoreFrontPriceFactor.selector, cometProxy));
    }

    function setBaseTrackingSupplySpeed(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function baseTrackingSupplySpeed(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBaseTrackingSupplySpeed.selector, cometProxy));
    }

    function setBaseTrackingBorrowSpeed(address cometProxy, uint64 value) external {
        _set(cometProxy, value);
    }

    function baseTrackingBorrowSpeed(address cometProxy) external view returns (uint64) {
        return uint64(_get(this.setBaseTrackingBorrowSpeed.selector, cometProxy));
    }

    function setBaseMinForRewards(address cometProxy, uint104 value) external {
        _set(cometProxy, value);
    }

    function baseMinForRewards(address cometProxy) external view returns (uint104) {
        return uint104(_get(this.setBaseMinForRewards.selector, cometProxy));
    }

    function setBaseBorrowMin(address cometProxy, uint104 value) external {
        _set(cometProxy, value);
    }

    function baseBorrowMin(address cometProxy) external view returns (uint104) {
        return uint104(_get(this.setBaseBorrowMin.selector, cometProxy));
    }

    function setTargetReserves(address cometProxy, uint104 value) external {
        _set(cometProxy, value);
    }

    function targetReserves(address cometProxy) external view returns (uint104) {
        return uint104(_get(this.setTargetReserves.selector, cometProxy));
    }

    function setGovernor(address cometProxy, address value) external {
        _set(cometProxy, _addr(value));
    }

    function governor(address cometProxy) external view returns (address) {
        return address(uint160(_get(this.setGovernor.selector, cometProxy)));
    }

    // Aave v3: PoolConfigurator and its data provider.

    function setReserveFactor(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getReserveFactor(address asset) external view returns (uint256) {
        return _get(this.setReserveFactor.selector, asset);
    }

    function setBorrowCap(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getBorrowCap(address asset) external view returns (uint256) {
        return _get(this.setBorrowCap.selector, asset);
    }

    function setSupplyCap(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getSupplyCap(address asset) external view returns (uint256) {
        return _get(this.setSupplyCap.selector, asset);
    }

    function setLiquidationProtocolFee(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getLiquidationProtocolFee(address asset) external view returns (uint256) {
        return _get(this.setLiquidationProtocolFee.selector, asset);
    }

    function setReserveFreeze(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getReserveFrozen(address asset) external view returns (bool) {
        return _get(this.setReserveFreeze.selector, asset) != 0;
    }

    function setReservePause(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getPaused(address asset) external view returns (bool) {
        return _get(this.setReservePause.selector, asset) != 0;
    }

    function setReserveActive(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getReserveActive(address asset) external view returns (bool) {
        return _get(this.setReserveActive.selector, asset) != 0;
    }

    function setReserveBorrowing(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getReserveBorrowing(address asset) external view returns (bool) {
        return _get(this.setReserveBorrowing.selector, asset) != 0;
    }

    function setReserveFlashLoaning(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getFlashLoanEnabled(address asset) external view returns (bool) {
        return _get(this.setReserveFlashLoaning.selector, asset) != 0;
    }

    function setDebtCeiling(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getDebtCeiling(address asset) external view returns (uint256) {
        return _get(this.setDebtCeiling.selector, asset);
    }

    function setUnbackedMintCap(address asset, uint256 value) external {
        _set(asset, value);
    }

    function getUnbackedMintCap(address asset) external view returns (uint256) {
        return _get(this.setUnbackedMintCap.selector, asset);
    }

    function setSiloedBorrowing(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getSiloedBorrowing(address asset) external view returns (bool) {
        return _get(this.setSiloedBorrowing.selector, asset) != 0;
    }

    function setBorrowableInIsolation(address asset, bool value) external {
        _set(asset, value ? 1 : 0);
    }

    function getBorrowableInIsolation(address asset) external view returns (bool) {
        return _get(this.setBorrowableInIsolation.selector, asset) != 0;
    }

    function setPoolPause(bool value) external {
        _set(address(0), value ? 1 : 0);
    }

    function getPoolPause() external view returns (bool) {
        return _get(this.setPoolPause.selector, address(0)) != 0;
    }

    function updateFlashloanPremiumTotal(uint128 value) external {
        _set(address(0), value);
    }

    function FLASHLOAN_PREMIUM_TOTAL() external view returns (uint128) {
        return uint128(_get(this.updateFlashloanPremiumTotal.selector, address(0)));
    }

    function updateFlashloanPremiumToProtocol(uint128 value) external {
        _set(address(0), value);
    }

    function FLASHLOAN_PREMIUM_TO_PROTOCOL() external view returns (uint128) {
        return uint128(_get(this.updateFlashloanPremiumToProtocol.selector, address(0)));
    }

    function updateBridgeProtocolFee(uint256 value) external {
        _set(address(0), value);
    }

    function BRIDGE_PROTOCOL_FEE() external view returns (uint256) {
        return _get(this.updateBridgeProtocolFee.selector, address(0));
    }

    function setReserveInterestRateStrategyAddress(address asset, address value) external {
        _set(asset, _addr(value));
    }

    function getInterestRateStrategyAddress(address asset) external view returns (address) {
        return address(uint160(_get(this.setReserveInterestRateStrategyAddress.selector, asset)));
    }

    function configureReserveAsCollateral(address asset, uint256 ltv, uint256 liquidationThreshold, uint256 liquidationBonus)
        external
    {
        _set(asset, (ltv << 128) | (liquidationThreshold << 64) | liquidationBonus);
    }

    function getReserveConfigurationData(address asset)
        external
        view
        returns (
            uint256 decimals,
            uint256 ltv,
            uint256 liquidationThreshold,
            uint256 liquidationBonus,
            uint256 reserveFactor,
            bool usageAsCollateralEnabled,
            bool borrowingEnabled,
            bool stableBorrowRateEnabled,
            bool isActive,
            bool isFrozen
        )
    {
        uint256 packed = _get(this.configureReserveAsCollateral.selector, asset);
        ltv = packed >> 128;
        liquidationThreshold = uint64(packed >> 64);
        liquidationBonus = uint64(packed);
        decimals = 18;
        reserveFactor = _get(this.setReserveFactor.selector, asset);
        usageAsCollateralEnabled = liquidationThreshold != 0;
        borrowingEnabled = _get(this.setReserveBorrowing.selector, asset) != 0;
        stableBorrowRateEnabled = false;
        isActive = _get(this.setReserveActive.selector, asset) != 0;
        isFrozen = _get(this.setReserveFreeze.selector, asset) != 0;
    }

    function getReserveCaps(address asset) external view returns (uint256 borrowCap, uint256 supplyCap) {
        return (_get(this.setBorrowCap.selector, asset), _get(this.setSupplyCap.selector, asset));
    }

    // OpenZeppelin: governor settings and timelock.

    function setVotingDelay(uint48 value) external {
        _set(address(0), value);
    }

    function votingDelay() external view returns (uint48) {
        return uint48(_get(this.setVotingDelay.selector, address(0)));
    }

    function setVotingPeriod(uint32 value) external {
        _set(address(0), value);
    }

    function votingPeriod() external view returns (uint32) {
        return uint32(_get(this.setVotingPeriod.selector, address(0)));
    }

    function setProposalThreshold(uint256 value) external {
        _set(address(0), value);
    }

    function proposalThreshold() external view returns (uint256) {
        return _get(this.setProposalThreshold.selector, address(0));
    }

    function updateQuorumNumerator(uint256 value) external {
        _set(address(0), value);
    }

    function quorumNumerator() external view returns (uint256) {
        return _get(this.updateQuorumNumerator.selector, address(0));
    }

    function updateDelay(uint256 value) external {
        _set(address(0), value);
    }

    function getMinDelay() external view returns (uint256) {
        return _get(this.updateDelay.selector, address(0));
    }

    function setLateQuorumVoteExtension(uint48 value) external {
        _set(address(0), value);
    }

    function lateQuorumVoteExtension() external view returns (uint48) {
        return uint48(_get(this.setLateQuorumVoteExtension.selector, address(0)));
    }

    function updateTimelock(address value) external {
        _set(address(0), _addr(value));
    }

    function timelock() external view returns (address) {
        return address(uint160(_get(this.updateTimelock.selector, address(0))));
    }

    function setDelay(uint256 value) external {
        _set(address(0), value);
    }

    function delay() external view returns (uint256) {
        return _get(this.setDelay.selector, address(0));
    }

    function _setVotingDelay(uint256 value) external {
        _set(address(0), value);
    }

    function bravoVotingDelay() external view returns (uint256) {
        return _get(this._setVotingDelay.selector, address(0));
    }

    function _setVotingPeriod(uint256 value) external {
        _set(address(0), value);
    }

    function bravoVotingPeriod() external view returns (uint256) {
        return _get(this._setVotingPeriod.selector, address(0));
    }

    function _setProposalThreshold(uint256 value) external {
        _set(address(0), value);
    }

    function bravoProposalThreshold() external view returns (uint256) {
        return _get(this._setProposalThreshold.selector, address(0));
    }
}
