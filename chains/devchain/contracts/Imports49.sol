// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

// Contracts of OpenZeppelin 4.9 that are deployed as they are.
import {TimelockController} from "oz49/governance/TimelockController.sol";
