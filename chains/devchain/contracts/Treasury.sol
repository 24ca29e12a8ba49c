// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// Holds native and token value and pays it out on its owner's word.
contract Treasury is Ownable {
    using SafeERC20 for IERC20;

    event Paid(address indexed token, address indexed to, uint256 amount);

    constructor(address owner_) payable Ownable(owner_) {}

    receive() external payable {}

    function pay(address payable to, uint256 amount) external onlyOwner {
        Address.sendValue(to, amount);
        emit Paid(address(0), to, amount);
    }

    function payToken(address token, address to, uint256 amount) external onlyOwner {
        IERC20(token).safeTransfer(to, amount);
        emit Paid(token, to, amount);
    }

    function approveToken(address token, address spender, uint256 amount) external onlyOwner {
        IERC20(token).forceApprove(spender, amount);
    }
}
