// SPDX-License-Identifier: Apache-2.0
// Rebuilds ../artifacts. Needs node 20 and, once, `npm ci --ignore-scripts`.
//
//   node build.mjs               compile our own contracts
//   node build.mjs third-party   fetch and convert the governors of other projects
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const out = path.join(here, '..', 'artifacts')
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const read = (name) => fs.readFileSync(path.join(here, name))

// Contracts of libraries that are deployed as they are: artifact name, source, contract.
const fromLibraries = [
  ['TimelockController', '@openzeppelin/contracts/governance/TimelockController.sol', 'TimelockController'],
  ['TimelockController49', 'oz49/governance/TimelockController.sol', 'TimelockController'],
  ['ERC1967Proxy', '@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol', 'ERC1967Proxy'],
  ['TransparentUpgradeableProxy', '@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol', 'TransparentUpgradeableProxy'],
  ['ProxyAdmin', '@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol', 'ProxyAdmin'],
  ['UpgradeableBeacon', '@openzeppelin/contracts/proxy/beacon/UpgradeableBeacon.sol', 'UpgradeableBeacon'],
  ['BeaconProxy', '@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol', 'BeaconProxy'],
  ['AccessManager', '@openzeppelin/contracts/access/manager/AccessManager.sol', 'AccessManager'],
]

// The hash an artifact carries: over the pins, the settings and every local
// source the contract is made of. artifacts_test.go computes the same.
function sourceHash(name) {
  const seen = new Set(['package.json', 'settings.json'])
  const visit = (file) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, next] of read(file).toString().matchAll(/from "\.\/([A-Za-z0-9]+\.sol)"/g)) visit(next)
  }
  if (name.endsWith('.sol') && !name.includes('/')) visit(name)
  return sha256([...seen].sort().map((file) => `${file} ${sha256(read(file))}\n`).join(''))
}

function write(name, artifact) {
  fs.mkdirSync(out, { recursive: true })
  fs.writeFileSync(path.join(out, `${name}.json`), JSON.stringify(artifact) + '\n')
}

async function compile() {
  const { default: solc } = await import('solc')
  const names = fs.readdirSync(here).filter((n) => n.endsWith('.sol')).sort()
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(names.map((n) => [n, { content: read(n).toString() }])),
    settings: {
      ...JSON.parse(read('settings.json')),
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  }
  const load = (file) => {
    try {
      return { contents: fs.readFileSync(path.join(here, 'node_modules', file)).toString() }
    } catch (error) {
      return { error: String(error) }
    }
  }
  const result = JSON.parse(solc.compile(JSON.stringify(input), { import: load }))
  for (const e of result.errors ?? []) {
    if (e.severity === 'error' || names.includes(e.sourceLocation?.file)) console.error(e.formattedMessage)
  }
  if ((result.errors ?? []).some((e) => e.severity === 'error')) process.exit(1)
  const wanted = [...fromLibraries]
  for (const file of names) {
    for (const [contract, c] of Object.entries(result.contracts[file] ?? {})) {
      if (c.evm.bytecode.object !== '') wanted.push([contract, file, contract])
    }
  }
  for (const [name, file, contract] of wanted) {
    const c = result.contracts[file]?.[contract]
    if (!c) throw new Error(`${file} has no contract ${contract}`)
    const size = c.evm.deployedBytecode.object.length / 2
    if (size > 24576) throw new Error(`${name} is ${size} bytes, over the limit of 24576`)
    write(name, {
      name,
      sourceName: file,
      compiler: `solc ${solc.version()}`,
      license: file.includes('/') ? 'MIT' : 'Apache-2.0',
      sourceHash: sourceHash(file),
      abi: c.abi,
      bytecode: '0x' + c.evm.bytecode.object,
      deployedBytecode: '0x' + c.evm.deployedBytecode.object,
    })
    console.log(`${name} ${size}`)
  }
}

const thirdParty = [
  {
    spec: '@uniswap/governance@1.0.2', license: 'MIT', compiler: 'solc 0.5.16',
    files: [['GovernorAlpha', 'build/GovernorAlpha.json'], ['UniTimelock', 'build/Timelock.json'], ['Uni', 'build/Uni.json']],
  },
  {
    spec: '@venusprotocol/governance-contracts@2.9.0', license: 'BSD-3-Clause', compiler: 'solc 0.5.16',
    files: [
      ['GovernorBravoDelegateV1', 'artifacts/contracts/legacy/GovernorBravoDelegateV1.sol/GovernorBravoDelegateV1.json'],
      ['GovernorBravoDelegatorV1', 'artifacts/contracts/legacy/GovenorBravoV1.sol/GovernorBravoDelegatorV1.json'],
    ],
  },
]

// Some of these files hold the bytecode bare, some as {object}, with or without 0x.
const code = (v) => '0x' + (v?.object ?? v ?? '').replace(/^0x/, '')

function convert() {
  const cache = path.join(here, '.cache')
  fs.rmSync(cache, { recursive: true, force: true })
  for (const p of thirdParty) {
    const dir = path.join(cache, p.spec.replace(/[^a-z0-9.]/g, '_'))
    fs.mkdirSync(dir, { recursive: true })
    const tgz = execFileSync('npm', ['pack', '--silent', p.spec], { cwd: dir }).toString().trim()
    execFileSync('tar', ['xzf', tgz], { cwd: dir })
    for (const [name, file] of p.files) {
      const raw = fs.readFileSync(path.join(dir, 'package', file))
      const j = JSON.parse(raw)
      write(name, {
        name,
        sourceName: `npm:${p.spec}/${file}`,
        compiler: p.compiler,
        license: p.license,
        sourceHash: sha256(raw),
        abi: j.abi,
        bytecode: code(j.bytecode ?? j.evm?.bytecode),
        deployedBytecode: code(j.deployedBytecode ?? j.evm?.deployedBytecode),
      })
      console.log(`${name} from ${p.spec}`)
    }
  }
  fs.rmSync(cache, { recursive: true, force: true })
}

if (process.argv[2] === 'third-party') convert()
else await compile()
