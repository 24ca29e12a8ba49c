// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// Prices of whole tokens with 18 decimals, set by the owner. latestAnswer and
/// latestRoundData speak of the asset priced last, as a single feed would.
contract PriceOracle is Ownable {
    mapping(address asset => uint256) public price;
    address public lastAsset;
    uint80 public round;
    uint256 public updatedAt;

    event PriceSet(address indexed asset, uint256 price);

    constructor(address owner_) Ownable(owner_) {}

    function setPrice(address asset, uint256 newPrice) external onlyOwner {
        price[asset] = newPrice;
        lastAsset = asset;
        round++;
        updatedAt = block.timestamp;
        emit PriceSet(asset, newPrice);
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function latestAnswer() public view returns (int256) {
        return int256(price[lastAsset]);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (round, latestAnswer(), updatedAt, updatedAt, round);
    }
}
