// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// Stands where a predecessor governor would: a Bravo takes its first proposal
/// number from it.
contract AlphaCount {
    uint256 public constant proposalCount = 1;
}
