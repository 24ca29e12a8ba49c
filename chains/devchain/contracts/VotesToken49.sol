// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {ERC20} from "oz49/token/ERC20/ERC20.sol";
import {ERC20Permit} from "oz49/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "oz49/token/ERC20/extensions/ERC20Votes.sol";
import {AccessControl} from "oz49/access/AccessControl.sol";

/// The voting token on OpenZeppelin 4.9. Block clock.
contract VotesToken49 is ERC20, ERC20Permit, ERC20Votes, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    constructor(string memory name_, string memory symbol_, address admin, uint256 supply)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
    {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, admin);
        _mint(admin, supply);
    }

    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }

    function _afterTokenTransfer(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._afterTokenTransfer(from, to, amount);
    }

    function _mint(address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._mint(to, amount);
    }

    function _burn(address from, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._burn(from, amount);
    }
}
