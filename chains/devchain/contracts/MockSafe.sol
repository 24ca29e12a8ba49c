// SPDX-License-Identifier: Apache-2.0
// Part of Legate. A test contract: no audit, no real value.
pragma solidity ^0.8.28;

/// A multi-signature wallet with the administration functions of a Safe, without
/// its signatures: one owner executes. The functions marked self may be called
/// only by the wallet itself, through execTransaction, as there.
contract MockSafe {
    address public owner;
    uint256 public nonce;
    address public guard;
    address public fallbackHandler;
    uint256 public threshold = 1;
    mapping(address module => bool) public isModuleEnabled;
    mapping(address account => bool) public isOwner;

    event EnabledModule(address indexed module);
    event DisabledModule(address indexed module);
    event ChangedGuard(address indexed guard);
    event ChangedFallbackHandler(address indexed handler);
    event ChangedThreshold(uint256 threshold);
    event AddedOwner(address indexed owner);
    event ExecutionSuccess(bytes32 indexed txHash, uint256 payment);

    modifier self() {
        require(msg.sender == address(this), "GS031");
        _;
    }

    constructor(address owner_) payable {
        owner = owner_;
        isOwner[owner_] = true;
    }

    receive() external payable {}

    function enableModule(address module) external self {
        isModuleEnabled[module] = true;
        emit EnabledModule(module);
    }

    function disableModule(address prevModule, address module) external self {
        require(prevModule != module, "GS103");
        isModuleEnabled[module] = false;
        emit DisabledModule(module);
    }

    function setGuard(address guard_) external self {
        guard = guard_;
        emit ChangedGuard(guard_);
    }

    function setFallbackHandler(address handler) external self {
        fallbackHandler = handler;
        emit ChangedFallbackHandler(handler);
    }

    function addOwnerWithThreshold(address owner_, uint256 threshold_) external self {
        isOwner[owner_] = true;
        threshold = threshold_;
        emit AddedOwner(owner_);
        emit ChangedThreshold(threshold_);
    }

    function changeThreshold(uint256 threshold_) external self {
        threshold = threshold_;
        emit ChangedThreshold(threshold_);
    }

    function execTransaction(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address payable refundReceiver,
        bytes memory signatures
    ) external payable returns (bool success) {
        require(msg.sender == owner, "GS026");
        bytes32 hash = keccak256(
            abi.encode(
                to, value, keccak256(data), operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver, signatures, nonce++
            )
        );
        success = _run(to, value, data, operation);
        require(success, "GS013");
        emit ExecutionSuccess(hash, 0);
    }

    function execTransactionFromModule(address to, uint256 value, bytes calldata data, uint8 operation)
        external
        returns (bool)
    {
        require(isModuleEnabled[msg.sender], "GS104");
        return _run(to, value, data, operation);
    }

    function _run(address to, uint256 value, bytes memory data, uint8 operation) internal returns (bool ok) {
        if (operation == 1) {
            (ok,) = to.delegatecall(data);
        } else {
            (ok,) = to.call{value: value}(data);
        }
    }
}
