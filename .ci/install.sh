#!/usr/bin/env bash
# Installs what the tests need from outside the Go module, pinned, and only what is missing.
#
#   .ci/install.sh anvil     the anvil binary from npm; prints its path
#   .ci/install.sh strace    strace from apt (as root)
#   .ci/install.sh all       everything
#
# Installed tools live outside the repository, in a folder named by the hash of the lock file, so that a clean
# clone on the same machine finds them again.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/legate

fail() {
	printf '.ci/install.sh: %s\n' "$*" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null 2>&1 || fail "$1 is missing; install $2 first"
}

# install_npm DIR: the packages of the lock file into DIR, all or nothing.
install_npm() {
	need node 'Node.js 20 or newer (Debian: apt-get install nodejs npm)'
	need npm 'npm (Debian: apt-get install npm)'
	mkdir -p "$cache"
	local staging
	staging=$(mktemp -d "$cache/.npm-XXXXXX")
	cp "$here/npm/package.json" "$here/npm/package-lock.json" "$staging/"
	if ! npm ci --prefix "$staging" --ignore-scripts --prefer-offline --no-audit --no-fund >&2; then
		rm -rf "$staging"
		fail 'npm ci failed; see above'
	fi
	# Another run may have been faster: then its folder stays.
	mv -T "$staging" "$1" 2>/dev/null || rm -rf "$staging"
}

anvil() {
	local hash dir bin
	hash=$(sha256sum "$here/npm/package-lock.json" | cut -c1-16)
	dir=$cache/anvil-$hash
	bin=$dir/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
	if [ ! -x "$bin" ]; then
		[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "no pinned anvil for $(uname -s) $(uname -m); set LEGATE_ANVIL to a binary of version 1.7.1"
		install_npm "$dir"
	fi
	[ -x "$bin" ] || fail "anvil is not at $bin after the install; remove $dir and try again"
	printf '%s\n' "$bin"
}

strace_() {
	if ! command -v strace >/dev/null 2>&1; then
		[ "$(id -u)" = 0 ] || fail 'strace is missing; install it as root: apt-get install strace'
		need apt-get 'strace with the package manager of this system'
		apt-get update >&2
		apt-get install -y --no-install-recommends strace >&2
	fi
	command -v strace
}

case "${1:-}" in
anvil) anvil ;;
strace) strace_ ;;
all)
	anvil
	strace_
	;;
*) fail 'usage: .ci/install.sh anvil | strace | all' ;;
esac
