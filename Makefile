# Go and make are all it needs; a C compiler adds the race detector to the tests.

GO      ?= go
PLUGINS := $(foreach p,ledger fx compliance rails shop travel people cards,./plugins/examples/$(p)/cmd/$(p))
ARCHS   := amd64 arm64
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
CASES    ?= 100000
SEED     ?= 1
FAULTS   ?= 1

# Tools, built from source through the module proxy and cached by Go; they are
# not in go.mod, where they would bring along 200 modules.
LINT          := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
WORKFLOWCHECK := $(GO) run go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0

# Packages under cmd import the Temporal server, which takes too long to build a
# second time for the race detector. All others run with it if it can be built.
LIGHT = $(or $(shell $(GO) list ./... | grep -v /cmd/sagad),$(error no packages: see above what Go says))
HEAVY = ./cmd/...
RACE  = $(if $(shell command -v $$($(GO) env CC)),-race)

.DEFAULT_GOAL := help
.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/sagad and the example plugins in bin/plugins
	$(GO) build -o bin/ ./cmd/sagad
	$(GO) build -o bin/plugins/ $(PLUGINS)

.PHONY: run
run: build ## three payments from YAML: one settles, one is rejected, one is never confirmed
	bin/sagad demo

# The commands on the pages of docs are run with the binary that was built. The
# tests on the real server run a second time without the SDK's cache: then every
# task replays its saga from the beginning. All orders of events would take the
# race detector too long.
test test-long: export SAGAD_BIN = bin/sagad

.PHONY: test
test: build node-modules ## all tests
	$(GO) test $(RACE) $(LIGHT)
	$(GO) test ./engine/enginetest/explore
	$(GO) test $(HEAVY)
	$(GO) test -timeout=10m ./cmd/sagad/endtoend -cache=false
	$(GO) test -tags noembed ./cmd/sagad/embedded

.PHONY: test-long
test-long: build node-modules ## all tests five times in random order, the race detector everywhere, then the fuzz tests
	$(GO) test $(RACE) -count=5 -shuffle=on -timeout=60m $(LIGHT) $(HEAVY)
	$(MAKE) fuzz

# The schemas are also checked with tools that run on Node. Where it is missing the
# tests that need it say so and, with CI=true, fail.
NODE = bin/node/node_modules/.package-lock.json

.PHONY: node-modules
node-modules: ## the Node packages that the published schemas are checked with, in bin/node
	@{ command -v npm >/dev/null && $(MAKE) --no-print-directory $(NODE); } || { \
	echo "npm or its packages are missing: the schemas will not be checked with ajv and yaml-language-server" >&2; test "$$CI" != true; }

$(NODE): $(addprefix cmd/sagad/editortest/,package.json package-lock.json .npmrc)
	mkdir -p bin/node && cp $^ bin/node/
	cd bin/node && npm ci
	touch $@

.PHONY: histories
histories: ## record the frozen histories that engine/temporal/testdata/histories does not have yet
	$(GO) test ./cmd/sagad/endtoend -run '^TestHistories$$' -count=1 -v -record

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME (30s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | while IFS=: read -r file func; do \
		echo "== $${file%/*} $${func#func }"; \
		$(GO) test -run='^$$' -fuzz="^$${func#func }\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x "$${file%/*}" || exit 1; \
	done

.PHONY: model
model: ## the machine against the reference model and the invariants on CASES (100000) random sagas, drawn from SEED (1)
	$(GO) test ./engine/enginetest/model -run '^Test(Model|Invariants)$$' -v -timeout=0 -cases=$(CASES) -seed=$(SEED)

.PHONY: explore
explore: ## every order of events of small sagas, with FAULTS (1) more faults in each than make test lets happen
	$(GO) test ./engine/enginetest/explore -run '^TestEveryOrder$$' -count=1 -v -timeout=0 -faults=$(FAULTS)

.PHONY: kill
kill: ## a worker killed at every boundary of nine sagas; make test does it at every eighth
	$(GO) test ./cmd/sagad/killtest -count=1 -v -timeout=60m -every=1

.PHONY: bench
bench: ## measure: the engine against sagas written by hand, then every package's benchmarks
	$(GO) build -o bin/bench/plugins/ ./cmd/sagad/bench/noop
	$(GO) run ./cmd/sagad/bench -plugins bin/bench/plugins
	$(GO) test -run='^$$' -bench=. $(LIGHT)
	$(GO) test -run='^$$' -bench=FiveSteps -benchtime=200x ./cmd/sagad/embedded
	$(GO) test -run='^$$' -bench=Restart -benchtime=5x ./cmd/sagad/embedded

.PHONY: lint
lint: ## golangci-lint, Temporal's workflowcheck, and a build without the server
	$(LINT) run ./...
	$(GO) vet -tags noembed ./cmd/...
	$(WORKFLOWCHECK) -config .workflowcheck.yaml ./engine/temporal/...

.PHONY: generate
generate: ## regenerate generated code (needs protoc)
	$(GO) generate ./...

# In a copy, so that a check changes nothing. The version of protoc, which differs
# between distributions, is a comment in what it writes.
.PHONY: generate-check
generate-check: ## fail if generated code is not what its source gives
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	tar -cf - --exclude=./bin --exclude=./.git --exclude=./.sagad . | tar -xf - -C "$$copy" && \
	(cd "$$copy" && $(GO) generate ./...) && \
	diff -r -I '^//.*protoc ' -x bin -x .git -x .sagad . "$$copy" || \
	{ echo "generated code is out of date: run make generate" >&2; exit 1; }

.PHONY: release
release: $(ARCHS:%=release-%) ## bin/release: archives for linux on amd64 and arm64, with their checksums
	cd bin/release && sha256sum *.tar.gz > SHA256SUMS && cat SHA256SUMS

.PHONY: $(ARCHS:%=release-%)
$(ARCHS:%=release-%): name = sagad-$(VERSION)-linux-$(@:release-%=%)
$(ARCHS:%=release-%): export GOOS = linux
$(ARCHS:%=release-%): export GOARCH = $(@:release-%=%)
$(ARCHS:%=release-%): export CGO_ENABLED = 0
$(ARCHS:%=release-%):
	rm -rf bin/release/$(name) bin/release/$(name).tar.gz
	$(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o bin/release/$(name)/ ./cmd/sagad
	$(GO) build -trimpath -ldflags '-s -w' -o bin/release/$(name)/plugins/ $(PLUGINS)
	cp LICENSE $(wildcard README.md CHANGELOG.md) bin/release/$(name)/
	tar -C bin/release -czf bin/release/$(name).tar.gz $(name)

.PHONY: clean
clean: ## remove what was built and the data of embedded Temporal
	rm -rf bin .sagad
