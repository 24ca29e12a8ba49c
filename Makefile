# The targets are explained in docs/development.md.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

GO ?= go
PACKAGES ?= ./...
# Packages that link go-ethereum are heavy: two at a time is what two cores carry.
TESTFLAGS ?= -p 2 -timeout 30m
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: test soak bench lint demo guarantees docs journeys install

# Installs what the tests need, pinned, then runs them all.
test: install
	export LEGATE_ANVIL="$$(.ci/install.sh anvil)"; \
	$(GO) vet $(PACKAGES); \
	$(GO) test $(TESTFLAGS) $(PACKAGES)

install:
	.ci/install.sh all

# The long runs, in shards: make soak G=G01 SEEDS=0:200
G ?= G
SEEDS ?= 0:50
soak: install
	export LEGATE_ANVIL="$$(.ci/install.sh anvil)" LEGATE_SOAK="$(SEEDS)"; \
	$(GO) test -p 1 -timeout 12h -count=1 -v -run '$(G)' $(PACKAGES)

bench:
	$(GO) test -p 1 -run '^$$' -bench . -benchmem $(PACKAGES)

lint:
	test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) run $(GOLANGCI) run $(PACKAGES)

demo:
	$(GO) run ./cmd/legate demo

# Runs the tests that carry a promise's name and writes their results to docs/guarantees.md.
guarantees: install
	export LEGATE_ANVIL="$$(.ci/install.sh anvil)"; \
	{ $(GO) test -p 2 -json -count=1 -timeout 60m -run 'TestG[0-9][0-9]' $(PACKAGES) || true; } | $(GO) run ./cmd/legate guarantees --out docs/guarantees.md

# The parts of docs/ that the program prints.
docs:
	$(GO) test ./cmd/legate -run TestDocs -update

# Walks docs/journeys on a chain, command by command, and compares what they show.
J ?= all
journeys:
	LEGATE_WALK=$(J) $(GO) test ./cmd/legate -run TestJourney -count=1 -timeout 20m -v
