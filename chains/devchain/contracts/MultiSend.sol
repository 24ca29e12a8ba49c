// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// Runs packed transactions: operation (1 byte), to (20), value (32), length
/// (32), data. Meant to be called by delegatecall, as a Safe's MultiSend is.
contract MultiSend {
    function multiSend(bytes memory transactions) external payable {
        uint256 i = 0;
        while (i < transactions.length) {
            uint8 operation = uint8(transactions[i]);
            address to;
            uint256 value;
            uint256 length;
            assembly {
                let at := add(add(transactions, 32), i)
                to := shr(96, mload(add(at, 1)))
                value := mload(add(at, 21))
                length := mload(add(at, 53))
            }
            require(i + 85 + length <= transactions.length, "packed transactions are cut short");
            bytes memory data = new bytes(length);
            for (uint256 j = 0; j < length; j++) {
                data[j] = transactions[i + 85 + j];
            }
            bool ok;
            if (operation == 1) {
                (ok,) = to.delegatecall(data);
            } else {
                (ok,) = to.call{value: value}(data);
            }
            require(ok, "inner transaction failed");
            i += 85 + length;
        }
    }
}
