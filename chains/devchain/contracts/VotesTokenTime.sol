// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {VotesToken} from "./VotesToken.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

/// VotesToken counting by time instead of by block.
contract VotesTokenTime is VotesToken {
    constructor(string memory name_, string memory symbol_, address admin, uint256 cap_, uint256 supply)
        VotesToken(name_, symbol_, admin, cap_, supply)
    {}

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }
}
