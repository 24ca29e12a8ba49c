// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {Market} from "./Market.sol";

/// An upgrade of Market: one more parameter, everything else as before.
contract MarketV2 is Market {
    uint256 public flashFee;

    event NewFlashFee(uint256 oldValue, uint256 newValue);

    function version() external pure override returns (uint256) {
        return 2;
    }

    function setFlashFee(uint256 value) external onlyOwner {
        if (value > 0.1e18) revert OutOfRange(value);
        emit NewFlashFee(flashFee, value);
        flashFee = value;
    }
}
