# Usher's tasks. `make` alone lists them. A machine needs Go, git, make, a C
# compiler (for the race detector alone; the program itself is built without cgo)
# and its package manager; `make deps` installs the rest.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The version is stamped below, so Go need not ask git, which fails in a
# checkout that another user owns.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.8.0
TOOLS := $(CURDIR)/.tools/bin

FUZZTIME   ?= 60s
BENCH_ARGS ?=
# Without access to the public vulnerability database, name a mirror: -db=file:///…
GOVULNCHECK_FLAGS ?=
DEMO_ARGS  ?=
MIGRATE    ?= up

# One cluster for all packages of a run.
WITH_POSTGRES := go run ./internal/pgtest/cmd/throwaway --

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: deps
deps: ## Install what the tests need and the machine lacks (PostgreSQL's server programs, Chromium)
	@scripts/install-deps

.PHONY: build
build: ## Build the static program into bin/usher
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/usher ./cmd/usher

.PHONY: demo
demo: ## Run Usher with a simulated tenant and show what it does (DEMO_ARGS=--exit ends it by itself)
	go run ./cmd/usher demo $(DEMO_ARGS)

.PHONY: test
test: deps ## Check everything: format, vet, all tests with the race detector on both databases, each fuzz target for 20 s
	@scripts/check-format
	go vet ./...
	$(WITH_POSTGRES) go test -race -count=1 -timeout=30m ./...
	@scripts/fuzz-all 20s
	@echo "make test: everything passed"

.PHONY: test-fast
test-fast: deps ## Run the tests while you work: cached, no race detector, nothing that links the Graph SDK
	packages=$$(scripts/fast-packages) && $(WITH_POSTGRES) go test -timeout=15m $$packages

.PHONY: bench
bench: deps ## Measure: Go benchmarks and the load run, as a table (BENCH_ARGS are passed on)
	go run ./bench $(BENCH_ARGS)

.PHONY: lint
lint: .tools/golangci-lint-$(GOLANGCI_LINT_VERSION) .tools/govulncheck-$(GOVULNCHECK_VERSION) ## Run the linters and look for known vulnerabilities
	$(TOOLS)/golangci-lint run ./...
	$(TOOLS)/govulncheck $(GOVULNCHECK_FLAGS) ./...

.PHONY: fuzz
fuzz: ## Fuzz everything that parses, each target for FUZZTIME (60s)
	scripts/fuzz-all $(FUZZTIME)

.PHONY: migrate
migrate: ## Bring the database at USHER_DATABASE_URL up to date (MIGRATE=status only asks)
	go run ./cmd/usher migrate $(MIGRATE)

.PHONY: clean
clean: ## Remove what these tasks made, except the database
	rm -rf bin dist .tools

# The stamps carry the version, so that a changed pin installs anew.
.tools/golangci-lint-$(GOLANGCI_LINT_VERSION):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@

.tools/govulncheck-$(GOVULNCHECK_VERSION):
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	@touch $@
