// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";

interface IPriceOracle {
    function price(address asset) external view returns (uint256);
}

/// A small lending market behind a UUPS proxy. Factors, shares and the close
/// factor have 18 decimals; the liquidation incentive is 1e18 plus the bonus.
contract Market is Initializable, OwnableUpgradeable, UUPSUpgradeable {
    using SafeERC20 for IERC20;

    uint256 internal constant ONE = 1e18;
    uint256 internal constant YEAR = 365 days;

    struct Pool {
        bool listed;
        uint256 collateralFactor;
        uint256 reserveFactor;
        uint256 supplyCap;
        uint256 borrowCap;
        uint256 borrowRate; // per year, 18 decimals
        uint256 supplied; // what suppliers own, interest included
        uint256 borrowed; // what borrowers owe, interest included
        uint256 reserves; // what the protocol owns
        uint256 supplyShares;
        uint256 borrowShares;
        uint256 accruedAt;
    }

    IPriceOracle public oracle;
    address public pauseGuardian;
    uint256 public closeFactor;
    uint256 public liquidationIncentive;
    bool public supplyPaused;
    bool public borrowPaused;
    address[] internal _assets;
    mapping(address asset => Pool) internal _pools;
    mapping(address asset => mapping(address user => uint256)) internal _supplyShares;
    mapping(address asset => mapping(address user => uint256)) internal _borrowShares;

    event AssetListed(address indexed asset);
    event NewCollateralFactor(address indexed asset, uint256 oldValue, uint256 newValue);
    event NewReserveFactor(address indexed asset, uint256 oldValue, uint256 newValue);
    event NewSupplyCap(address indexed asset, uint256 oldValue, uint256 newValue);
    event NewBorrowCap(address indexed asset, uint256 oldValue, uint256 newValue);
    event NewBorrowRate(address indexed asset, uint256 oldValue, uint256 newValue);
    event NewOracle(address oldOracle, address newOracle);
    event NewPauseGuardian(address oldGuardian, address newGuardian);
    event NewCloseFactor(uint256 oldValue, uint256 newValue);
    event NewLiquidationIncentive(uint256 oldValue, uint256 newValue);
    event PauseSet(bool supplyPaused, bool borrowPaused);
    event Supply(address indexed asset, address indexed user, uint256 amount);
    event Withdraw(address indexed asset, address indexed user, uint256 amount);
    event Borrow(address indexed asset, address indexed user, uint256 amount);
    event Repay(address indexed asset, address indexed payer, address indexed user, uint256 amount);
    event Liquidate(
        address indexed user, address indexed liquidator, address debtAsset, uint256 repaid, address collateral, uint256 seized
    );

    error NotListed(address asset);
    error AlreadyListed(address asset);
    error OutOfRange(uint256 value);
    error Paused();
    error CapReached(address asset, uint256 cap);
    error Undercollateralised(address user);
    error Healthy(address user);
    error NotAllowed(address caller);

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    function initialize(address owner_, IPriceOracle oracle_, address guardian) external initializer {
        __Ownable_init(owner_);
        oracle = oracle_;
        pauseGuardian = guardian;
        closeFactor = 0.5e18;
        liquidationIncentive = 1.08e18;
    }

    function version() external pure virtual returns (uint256) {
        return 1;
    }

    // Parameters.

    function listAsset(address asset, uint256 factor, uint256 reserve, uint256 supplyCap_, uint256 borrowCap_)
        external
        onlyOwner
    {
        Pool storage p = _pools[asset];
        if (p.listed) revert AlreadyListed(asset);
        if (factor >= ONE || reserve >= ONE) revert OutOfRange(factor >= ONE ? factor : reserve);
        p.listed = true;
        p.collateralFactor = factor;
        p.reserveFactor = reserve;
        p.supplyCap = supplyCap_;
        p.borrowCap = borrowCap_;
        p.borrowRate = 0.05e18;
        p.accruedAt = block.timestamp;
        _assets.push(asset);
        emit AssetListed(asset);
    }

    function setCollateralFactor(address asset, uint256 value) external onlyOwner {
        if (value >= ONE) revert OutOfRange(value);
        emit NewCollateralFactor(asset, _listed(asset).collateralFactor, value);
        _pools[asset].collateralFactor = value;
    }

    function setReserveFactor(address asset, uint256 value) external onlyOwner {
        if (value >= ONE) revert OutOfRange(value);
        _accrue(asset);
        emit NewReserveFactor(asset, _pools[asset].reserveFactor, value);
        _pools[asset].reserveFactor = value;
    }

    function setSupplyCap(address asset, uint256 value) external onlyOwner {
        emit NewSupplyCap(asset, _listed(asset).supplyCap, value);
        _pools[asset].supplyCap = value;
    }

    function setBorrowCap(address asset, uint256 value) external onlyOwner {
        emit NewBorrowCap(asset, _listed(asset).borrowCap, value);
        _pools[asset].borrowCap = value;
    }

    function setBorrowRate(address asset, uint256 value) external onlyOwner {
        if (value > ONE) revert OutOfRange(value);
        _accrue(asset);
        emit NewBorrowRate(asset, _pools[asset].borrowRate, value);
        _pools[asset].borrowRate = value;
    }

    function setOracle(address value) external onlyOwner {
        emit NewOracle(address(oracle), value);
        oracle = IPriceOracle(value);
    }

    function setPauseGuardian(address value) external onlyOwner {
        emit NewPauseGuardian(pauseGuardian, value);
        pauseGuardian = value;
    }

    function setCloseFactor(uint256 value) external onlyOwner {
        if (value > ONE) revert OutOfRange(value);
        emit NewCloseFactor(closeFactor, value);
        closeFactor = value;
    }

    function setLiquidationIncentive(uint256 value) external onlyOwner {
        if (value < ONE || value > 2 * ONE) revert OutOfRange(value);
        emit NewLiquidationIncentive(liquidationIncentive, value);
        liquidationIncentive = value;
    }

    /// The guardian may pause; only the owner may lift a pause.
    function setPaused(bool supply_, bool borrow_) external {
        bool lifts = (supplyPaused && !supply_) || (borrowPaused && !borrow_);
        if (msg.sender != owner() && (lifts || msg.sender != pauseGuardian)) revert NotAllowed(msg.sender);
        supplyPaused = supply_;
        borrowPaused = borrow_;
        emit PauseSet(supply_, borrow_);
    }

    function collateralFactor(address asset) external view returns (uint256) {
        return _pools[asset].collateralFactor;
    }

    function reserveFactor(address asset) external view returns (uint256) {
        return _pools[asset].reserveFactor;
    }

    function supplyCap(address asset) external view returns (uint256) {
        return _pools[asset].supplyCap;
    }

    function borrowCap(address asset) external view returns (uint256) {
        return _pools[asset].borrowCap;
    }

    function borrowRate(address asset) external view returns (uint256) {
        return _pools[asset].borrowRate;
    }

    function listed(address asset) external view returns (bool) {
        return _pools[asset].listed;
    }

    function assets() external view returns (address[] memory) {
        return _assets;
    }

    function totalSupply(address asset) external view returns (uint256) {
        return _pools[asset].supplied;
    }

    function totalBorrows(address asset) external view returns (uint256) {
        return _pools[asset].borrowed;
    }

    function totalReserves(address asset) external view returns (uint256) {
        return _pools[asset].reserves;
    }

    // Use.

    function supply(address asset, uint256 amount) external {
        if (supplyPaused) revert Paused();
        _accrue(asset);
        Pool storage p = _pools[asset];
        if (p.supplied + amount > p.supplyCap) revert CapReached(asset, p.supplyCap);
        uint256 shares = p.supplyShares == 0 ? amount : amount * p.supplyShares / p.supplied;
        p.supplied += amount;
        p.supplyShares += shares;
        _supplyShares[asset][msg.sender] += shares;
        IERC20(asset).safeTransferFrom(msg.sender, address(this), amount);
        emit Supply(asset, msg.sender, amount);
    }

    function withdraw(address asset, uint256 amount) external {
        _accrue(asset);
        _takeSupply(asset, msg.sender, amount);
        if (!_solvent(msg.sender)) revert Undercollateralised(msg.sender);
        IERC20(asset).safeTransfer(msg.sender, amount);
        emit Withdraw(asset, msg.sender, amount);
    }

    function borrow(address asset, uint256 amount) external {
        if (borrowPaused) revert Paused();
        _accrue(asset);
        Pool storage p = _pools[asset];
        if (p.borrowed + amount > p.borrowCap) revert CapReached(asset, p.borrowCap);
        uint256 shares = p.borrowShares == 0 ? amount : _up(amount * p.borrowShares, p.borrowed);
        p.borrowed += amount;
        p.borrowShares += shares;
        _borrowShares[asset][msg.sender] += shares;
        if (!_solvent(msg.sender)) revert Undercollateralised(msg.sender);
        IERC20(asset).safeTransfer(msg.sender, amount);
        emit Borrow(asset, msg.sender, amount);
    }

    function repay(address asset, uint256 amount) external {
        _accrue(asset);
        _repay(asset, msg.sender, msg.sender, amount);
    }

    function liquidate(address user, address debtAsset, uint256 amount, address collateral) external {
        _accrue(debtAsset);
        _accrue(collateral);
        if (_solvent(user)) revert Healthy(user);
        if (amount > borrowBalance(debtAsset, user) * closeFactor / ONE) revert OutOfRange(amount);
        _repay(debtAsset, msg.sender, user, amount);
        uint256 worth = _value(debtAsset, amount) * liquidationIncentive / ONE;
        uint256 seized = worth * (10 ** IERC20Metadata(collateral).decimals()) / oracle.price(collateral);
        _takeSupply(collateral, user, seized);
        IERC20(collateral).safeTransfer(msg.sender, seized);
        emit Liquidate(user, msg.sender, debtAsset, amount, collateral, seized);
    }

    function supplyBalance(address asset, address user) public view returns (uint256) {
        Pool storage p = _pools[asset];
        return p.supplyShares == 0 ? 0 : _supplyShares[asset][user] * p.supplied / p.supplyShares;
    }

    function borrowBalance(address asset, address user) public view returns (uint256) {
        Pool storage p = _pools[asset];
        return p.borrowShares == 0 ? 0 : _up(_borrowShares[asset][user] * p.borrowed, p.borrowShares);
    }

    /// What the user's collateral allows to borrow and what is borrowed, in the oracle's unit.
    function accountLiquidity(address user) public view returns (uint256 allowed, uint256 owed) {
        for (uint256 i = 0; i < _assets.length; i++) {
            address asset = _assets[i];
            allowed += _value(asset, supplyBalance(asset, user)) * _pools[asset].collateralFactor / ONE;
            owed += _value(asset, borrowBalance(asset, user));
        }
    }

    // Inside.

    function _authorizeUpgrade(address) internal override onlyOwner {}

    function _listed(address asset) internal view returns (Pool storage p) {
        p = _pools[asset];
        if (!p.listed) revert NotListed(asset);
    }

    function _up(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a + b - 1) / b;
    }

    function _value(address asset, uint256 amount) internal view returns (uint256) {
        if (amount == 0) return 0;
        return amount * oracle.price(asset) / (10 ** IERC20Metadata(asset).decimals());
    }

    function _solvent(address user) internal view returns (bool) {
        (uint256 allowed, uint256 owed) = accountLiquidity(user);
        return owed <= allowed;
    }

    function _accrue(address asset) internal {
        Pool storage p = _listed(asset);
        uint256 interest = p.borrowed * p.borrowRate * (block.timestamp - p.accruedAt) / YEAR / ONE;
        p.accruedAt = block.timestamp;
        if (interest == 0) return;
        uint256 kept = p.supplyShares == 0 ? interest : interest * p.reserveFactor / ONE;
        p.borrowed += interest;
        p.reserves += kept;
        p.supplied += interest - kept;
    }

    function _takeSupply(address asset, address user, uint256 amount) internal {
        Pool storage p = _pools[asset];
        uint256 shares = p.supplied == 0 ? 0 : _up(amount * p.supplyShares, p.supplied);
        _supplyShares[asset][user] -= shares;
        p.supplyShares -= shares;
        p.supplied -= amount;
    }

    function _repay(address asset, address payer, address user, uint256 amount) internal {
        Pool storage p = _pools[asset];
        uint256 owed = borrowBalance(asset, user);
        if (amount > owed) amount = owed;
        if (amount == 0) return;
        uint256 shares = amount == owed ? _borrowShares[asset][user] : amount * p.borrowShares / p.borrowed;
        _borrowShares[asset][user] -= shares;
        p.borrowShares -= shares;
        p.borrowed = amount > p.borrowed ? 0 : p.borrowed - amount;
        IERC20(asset).safeTransferFrom(payer, address(this), amount);
        emit Repay(asset, payer, user, amount);
    }
}
