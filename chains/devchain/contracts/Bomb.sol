// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// Misbehaves on demand. Every unknown selector reverts with its calldata.
contract Bomb {
    error Boom(bytes data);

    constructor() payable {}

    receive() external payable {}

    fallback() external payable {
        revert Boom(msg.data);
    }

    function burnAllGas() external pure {
        assembly {
            for {} 1 {} {}
        }
    }

    function invalid() external pure {
        assembly {
            invalid()
        }
    }

    function revertPlain() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function revertReason(string calldata reason) external pure {
        revert(reason);
    }

    function panic() external pure returns (uint256) {
        uint256 zero;
        return 1 / zero;
    }

    /// Answers with size zero bytes, to flood the reader.
    function longReturn(uint256 size) external pure {
        assembly {
            return(0, size)
        }
    }

    function destroy(address payable to) external {
        assembly {
            selfdestruct(to)
        }
    }

    function reenter(address target, bytes calldata data) external payable {
        (bool ok, bytes memory out) = target.call{value: msg.value}(data);
        if (!ok) revert Boom(out);
    }
}
