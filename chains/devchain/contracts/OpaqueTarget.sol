// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// Functions no public table of signatures knows.
contract OpaqueTarget {
    uint256 public zq7Level;
    bytes public zq7Blob;

    event Zq7Moved(uint256 level);

    function zq7_k9Wobble(uint256 level, bytes calldata blob) external payable {
        zq7Level = level;
        zq7Blob = blob;
        emit Zq7Moved(level);
    }

    function xv3_p0Frob(address who, uint40 a, int24 b) external {
        zq7Level = uint256(uint160(who)) ^ a ^ uint256(int256(b));
        emit Zq7Moved(zq7Level);
    }
}
