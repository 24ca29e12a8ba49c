// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// First implementation behind the beacon.
contract BeaconTarget {
    uint256 public level;

    function setLevel(uint256 value) external {
        level = value;
    }

    function version() external pure virtual returns (uint256) {
        return 1;
    }
}

/// Second implementation behind the beacon.
contract BeaconTargetV2 is BeaconTarget {
    function version() external pure override returns (uint256) {
        return 2;
    }
}
