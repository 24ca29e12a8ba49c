// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

interface Proposer {
    function propose(address[] memory, uint256[] memory, bytes[] memory, string memory) external returns (uint256);
}

interface Voted {
    function delegate(address) external;
}

/// Makes a run hard to read, and succeeds. Each function does as much as it is asked to of one thing.
contract Hostile {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);

    /// Next slot of a list that can only be followed one step after the other.
    mapping(uint256 => uint256) private next;
    mapping(uint256 => uint256) private words;

    function nothing() external payable {}

    function staticCalls(uint256 n) external view {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(staticcall(gas(), 4, 0, 0, 0, 0))
            }
        }
    }

    function calls(uint256 n) external {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(call(gas(), 4, 0, 0, 0, 0, 0))
            }
        }
    }

    function delegateCalls(uint256 n) external {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(delegatecall(gas(), 4, 0, 0, 0, 0))
            }
        }
    }

    function failures(uint256 n) external {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(call(3000, address(), 0, 0, 0, 0, 0))
            }
        }
    }

    function creates(uint256 n) external {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(create(0, 0, 0))
            }
        }
    }

    /// Calls itself to a depth.
    function deeper(uint256 n) external {
        if (n > 0) Hostile(this).deeper(n - 1);
    }

    /// Hands size zero bytes to itself, n times.
    function heavy(uint256 n, uint256 size) external {
        for (uint256 i; i < n; i++) {
            assembly {
                pop(staticcall(gas(), 4, 0, size, 0, 0))
            }
        }
    }

    function memoryOf(uint256 size) external pure {
        assembly {
            mstore(size, 1)
        }
    }

    /// Calls something that returns, or reverts with, size zero bytes.
    function answers(address bomb, uint256 size) external {
        (bool ok,) = bomb.call(abi.encodeWithSignature("longReturn(uint256)", size));
        require(ok);
    }

    function revertsInside(address bomb) external {
        (bool ok,) = bomb.call(abi.encodeWithSignature("revertPlain()"));
        require(!ok);
    }

    /// Lets a call burn some gas, and goes on.
    function burnsInside(address bomb, uint256 most) external {
        (bool ok,) = bomb.call{gas: most}(abi.encodeWithSignature("burnAllGas()"));
        require(!ok);
    }

    function burns() external pure {
        assembly {
            for {} 1 {} {}
        }
    }

    function reads(uint256 n) external view returns (uint256 sum) {
        for (uint256 i; i < n; i++) sum += words[i + 1];
    }

    function writes(uint256 n) external {
        for (uint256 i; i < n; i++) words[i + 1] = i + 1;
    }

    function accounts(uint256 n) external view returns (uint256 sum) {
        for (uint256 i; i < n; i++) sum += address(uint160(0xA000000 + i)).balance;
    }

    function hashes(uint256 n) external view returns (uint256 sum) {
        for (uint256 i; i < n; i++) sum ^= uint256(blockhash(block.number - 1 - (i % 20)));
    }

    /// Lays a list of n, before it is followed.
    function lay(uint256 from, uint256 n) external {
        for (uint256 i = from; i < from + n; i++) next[place(i)] = place(i + 1);
    }

    function place(uint256 i) public pure returns (uint256) {
        return i == 0 ? 0 : uint256(keccak256(abi.encode(i)));
    }

    /// Follows the list only when it runs later than the block it is asked in: no access list of today shows it.
    function chase(uint256 n, uint256 notBefore) external view returns (uint256 at) {
        if (block.number < notBefore) return 0;
        for (uint256 i; i < n; i++) at = next[at];
    }

    function logs(uint256 n) external {
        for (uint256 i; i < n; i++) {
            assembly {
                log0(0, 0)
            }
        }
    }

    function logBytes(uint256 size) external {
        assembly {
            log0(0, size)
        }
    }

    /// Says that n accounts were paid by one.
    function transfers(address from, uint256 n) external {
        for (uint256 i; i < n; i++) emit Transfer(from, address(uint160(0xB000000 + i)), i + 1);
    }

    /// Says that n spenders may take from one.
    function approvals(address owner, uint256 n) external {
        for (uint256 i; i < n; i++) emit Approval(owner, address(uint160(0xC000000 + i)), i + 1);
    }

    function operators(address owner, uint256 n) external {
        for (uint256 i; i < n; i++) emit ApprovalForAll(owner, address(uint160(0xD000000 + i)), true);
    }

    function odd(address who) external {
        bytes32 t = Transfer.selector;
        bytes32 a = Approval.selector;
        assembly {
            log1(0, 0, t)
            log2(0, 0, t, who)
            log3(0, 0, t, who, who)
            log4(0, 0, t, who, who, 1)
            log3(0, 31, t, who, who)
            log1(0, 0, a)
            log4(0, 0, a, who, caller(), 7)
        }
    }

    /// Tells each of several tokens to log a transfer.
    function each(HostileToken[] calldata tokens, address from) external {
        for (uint256 i; i < tokens.length; i++) tokens[i].move(from);
    }

    /// Proposes from here what is too long for one transaction's calldata: one action among n others, at a place; the
    /// others go to one empty account, or each to its own.
    function propose(Proposer governor, uint256 n, uint256 at, bool apart, address to, bytes calldata data) external {
        address[] memory targets = new address[](n + 1);
        uint256[] memory values = new uint256[](n + 1);
        bytes[] memory calldatas = new bytes[](n + 1);
        for (uint256 i; i <= n; i++) targets[i] = apart ? address(uint160(0xE000000 + i)) : address(1);
        targets[at] = to;
        calldatas[at] = data;
        governor.propose(targets, values, calldatas, "Many steps");
    }

    /// Lets this contract propose, by the tokens it has.
    function delegate(Voted token) external {
        token.delegate(address(this));
    }

    /// Gives a right that only its log shows, behind n logs of nothing.
    function grantsBehind(uint256 n, address who) external {
        for (uint256 i; i < n; i++) {
            assembly {
                log0(0, 0)
            }
        }
        emit RoleGranted(bytes32(uint256(1)), who, msg.sender);
    }
}

/// A token that does not want to be measured. The mode says how it answers balanceOf and allowance.
contract HostileToken {
    uint256 public immutable mode;
    uint256 public moved;

    constructor(uint256 mode_) {
        mode = mode_;
    }

    function move(address from) external {
        moved = block.number;
        emit Hostile.Transfer(from, address(0xE0), 5);
        emit Hostile.Approval(from, address(0xE1), 5);
    }

    /// Says that it moved, and not that it allowed.
    function moveOnly(address from) external {
        moved = block.number;
        emit Hostile.Transfer(from, address(0xE0), 5);
    }

    function balanceOf(address) external view returns (uint256) {
        return answer();
    }

    function allowance(address, address) external view returns (uint256) {
        return answer();
    }

    function answer() private view returns (uint256) {
        uint256 m = mode;
        bool after_ = moved != 0;
        if (m == 1 || (m == 2 && after_) || (m == 3 && !after_)) {
            assembly {
                for {} 1 {} {}
            }
        }
        if (m == 4 || (m == 5 && after_) || (m == 6 && !after_)) revert();
        if (m == 7) {
            assembly {
                return(0, 400000)
            }
        }
        if (m == 8) {
            assembly {
                return(0, 31)
            }
        }
        if (m == 9) {
            assembly {
                return(0, 0)
            }
        }
        if (m == 10) return gasleft();
        if (m == 11) {
            assembly {
                invalid()
            }
        }
        if (m == 12) { // dear, but within a probe's gas
            uint256 end = gasleft() - 800_000;
            uint256 x;
            while (gasleft() > end) x++;
            return x;
        }
        if (m == 13) return after_ ? type(uint256).max : 0;
        if (m == 14) {
            assembly {
                revert(0, 400000)
            }
        }
        return 5;
    }
}
