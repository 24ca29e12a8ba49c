// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// A plain ERC-721.
contract DevNFT is ERC721, Ownable {
    constructor(address owner_) ERC721("Dev NFT", "DNFT") Ownable(owner_) {}

    function mint(address to, uint256 id) external onlyOwner {
        _mint(to, id);
    }
}
