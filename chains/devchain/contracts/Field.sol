// SPDX-License-Identifier: Apache-2.0
// Part of Legate. Test contracts: no audit, no real value.
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

// Contracts with the functions of well known protocols under their real signatures, as small as they can be.

/// Compound's Comptroller: it pays from its own pocket, now or with every block.
contract Comptroller is Ownable {
    IERC20 public immutable comp;
    mapping(address contributor => uint256) private _speeds;

    constructor(address owner_, IERC20 comp_) Ownable(owner_) {
        comp = comp_;
    }

    function _grantComp(address recipient, uint256 amount) external onlyOwner {
        require(comp.transfer(recipient, amount), "transfer");
    }

    function _setContributorCompSpeed(address contributor, uint256 speed) external onlyOwner {
        _speeds[contributor] = speed;
    }
}

/// Compound III: reserves.
contract Comet is Ownable {
    IERC20 public immutable base;

    constructor(address owner_, IERC20 base_) Ownable(owner_) {
        base = base_;
    }

    function withdrawReserves(address to, uint256 amount) external onlyOwner {
        require(base.transfer(to, amount), "transfer");
    }
}

/// What was locked for a beneficiary, who need not call.
contract Vesting {
    IERC20 public immutable token;
    address public immutable beneficiary;

    constructor(IERC20 token_, address beneficiary_) {
        token = token_;
        beneficiary = beneficiary_;
    }

    function release() external {
        require(token.transfer(beneficiary, token.balanceOf(address(this))), "transfer");
    }
}

/// Arbitrum's UpgradeExecutor and DSProxy: execute is a delegatecall.
contract UpgradeExecutor is Ownable {
    constructor(address owner_) Ownable(owner_) {}

    function execute(address upgrade, bytes calldata data) external payable onlyOwner {
        (bool ok,) = upgrade.delegatecall(data);
        require(ok, "execute");
    }

    function executeCall(address target, bytes calldata data) external payable onlyOwner {
        (bool ok,) = target.call{value: msg.value}(data);
        require(ok, "executeCall");
    }
}

/// A timelock's executor with a flag, as Aave had it.
contract FlagExecutor is Ownable {
    constructor(address owner_) Ownable(owner_) {}

    function executeTransaction(address target, uint256 value, string calldata signature, bytes calldata data, bool withDelegatecall)
        external
        payable
        onlyOwner
    {
        bytes memory input = bytes(signature).length == 0 ? data : abi.encodePacked(bytes4(keccak256(bytes(signature))), data);
        (bool ok,) = withDelegatecall ? target.delegatecall(input) : target.call{value: value}(input);
        require(ok, "executeTransaction");
    }
}

/// Code that nobody knows. Run in another's place it takes the owner's slot; on its own it has an operator.
contract Fresh {
    address public owner;
    address public operator;

    function execute() external {
        owner = 0x00000000000000000000000000000000000A11cE;
    }

    function setOperator(address operator_) external {
        operator = operator_;
    }

    function nothing() external {}
}

/// What goes to other chains: Arbitrum's inbox and Uniswap's Wormhole sender.
contract Inbox {
    uint256 public sent;

    event Sent(uint256 indexed number, bytes32 hash);

    function createRetryableTicket(address to, uint256, uint256, address, address, uint256, uint256, bytes calldata data) external payable returns (uint256) {
        emit Sent(++sent, keccak256(abi.encode(to, data)));
        return sent;
    }

    function sendMessage(address[] memory targets, uint256[] memory, bytes[] memory datas, address receiver, uint16 chain) external payable {
        emit Sent(++sent, keccak256(abi.encode(targets, datas, receiver, chain)));
    }
}

/// The ENS registry.
contract Registry {
    mapping(bytes32 node => address) public owner;

    event NewOwner(bytes32 indexed node, bytes32 indexed label, address owner);
    event NewResolver(bytes32 indexed node, address resolver);
    event NewTTL(bytes32 indexed node, uint64 ttl);

    constructor(address owner_) {
        owner[0] = owner_;
    }

    function setSubnodeOwner(bytes32 node, bytes32 label, address owner_) public returns (bytes32 subnode) {
        require(owner[node] == msg.sender, "owner");
        subnode = keccak256(abi.encodePacked(node, label));
        owner[subnode] = owner_;
        emit NewOwner(node, label, owner_);
    }

    function setSubnodeRecord(bytes32 node, bytes32 label, address owner_, address resolver, uint64 ttl) external {
        bytes32 subnode = setSubnodeOwner(node, label, owner_);
        emit NewResolver(subnode, resolver);
        emit NewTTL(subnode, ttl);
    }
}

/// Maker's wards, which log nothing.
contract Wards {
    mapping(address usr => uint256) public wards;

    constructor(address owner_) {
        wards[owner_] = 1;
    }

    function rely(address usr) external {
        require(wards[msg.sender] == 1, "ward");
        wards[usr] = 1;
    }

    function deny(address usr) external {
        require(wards[msg.sender] == 1, "ward");
        wards[usr] = 0;
    }
}

/// Streams of Superfluid and LlamaPay: no balance moves when they begin. The third kind takes all of it at once.
contract Streams {
    mapping(bytes32 key => uint256) public rates;

    function setFlowrate(address token, address receiver, int96 flowrate) external returns (bool) {
        rates[keccak256(abi.encode(token, msg.sender, receiver))] = uint256(int256(flowrate));
        return true;
    }

    function createStream(address to, uint216 amountPerSec) external {
        rates[keccak256(abi.encode(msg.sender, to))] = amountPerSec;
    }

    function createStream(address recipient, uint256 amount, address token, uint256, uint256) external {
        require(IERC20(token).transferFrom(msg.sender, address(this), amount), "transfer");
        rates[keccak256(abi.encode(token, msg.sender, recipient))] = amount;
    }
}

/// A setter that does more than it says: it pays, gives its ownership away, and leaves a log or none.
contract Hooked is Ownable {
    enum Mode {
        Nothing,
        Pays,
        Owner,
        Silent,
        Foreign
    }

    IERC20 public immutable token;
    Mode public mode;
    Fresh private immutable _fresh;

    constructor(address owner_, IERC20 token_, Mode mode_) Ownable(owner_) {
        token = token_;
        mode = mode_;
        _fresh = new Fresh();
    }

    function setText(bytes32, string calldata, string calldata) external onlyOwner {
        _hook();
    }

    function setCloseFactor(uint256) external onlyOwner {
        _hook();
    }

    function release() external {
        _hook();
    }

    function _hook() private {
        address to = 0x00000000000000000000000000000000000A11cE;
        if (mode == Mode.Pays) require(token.transfer(to, 1000e18), "transfer");
        if (mode == Mode.Owner) _transferOwnership(to);
        if (mode == Mode.Silent) {
            assembly {
                sstore(0, to) // Ownable's owner, without its log
            }
        }
        if (mode == Mode.Foreign) _fresh.setOperator(to);
    }
}

/// An ERC-1155 and an ERC-6909 of one holder each, with what both have.
contract Multi1155 {
    mapping(address => mapping(uint256 => uint256)) public balance;

    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);

    constructor(address holder) {
        balance[holder][7] = 100;
    }

    function balanceOf(address a, uint256 id) external view returns (uint256) {
        return balance[a][id];
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata) external {
        require(from == msg.sender, "from");
        balance[from][id] -= value;
        balance[to][id] += value;
        emit TransferSingle(msg.sender, from, to, id, value);
    }
}

contract Multi6909 {
    mapping(address => mapping(uint256 => uint256)) public balance;

    event Transfer(address caller, address indexed sender, address indexed receiver, uint256 indexed id, uint256 amount);

    constructor(address holder) {
        balance[holder][7] = 100;
    }

    function balanceOf(address a, uint256 id) external view returns (uint256) {
        return balance[a][id];
    }

    function transfer(address to, uint256 id, uint256 value) external returns (bool) {
        balance[msg.sender][id] -= value;
        balance[to][id] += value;
        emit Transfer(msg.sender, msg.sender, to, id, value);
        return true;
    }
}
