# sealgate. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(SEALGATE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sealgate)
# The package's modules: one crate, by its features. Each is built alone.
MODULES := $(addprefix target/modules/,sealgate.wasm sealgate_gateway.wasm sealgate_full.wasm sealgate_node.wasm sealgate_arithmetic.wasm)
# Everything in src/, since some of it is compiled in as data; the rule of $(MODULES) checks that nothing is missing.
SOURCES := $(shell find src -type f) Cargo.toml Cargo.lock
# Panics name the file that they are in: where this folder and Cargo's sources are must not change the module.
US := $(shell printf '\037')
NO_PATHS := --remap-path-prefix=$(CURDIR)=/sealgate$(US)--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/sources$(US)--remap-path-prefix=$(shell rustc --print sysroot 2> /dev/null)/lib/rustlib/src/rust=/rust
# The standard library is compiled with the modules, for size, and a panic traps at once, without words that nobody reads
# (docs/performance.md "Size"). Cargo calls that unstable; RUSTC_BOOTSTRAP lets a stable one do it. Empty both for a Rust that cannot.
OWN_STD := -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
NO_MESSAGES = $(US)-Zunstable-options$(US)-Cpanic=immediate-abort
# What is not of the module: each has a lock file of its own.
CRATES := conformance/vectors conformance/differential conformance/openpgp-differential conformance/sigstore-differential fuzz tools/build tools/fixtures/openpgp-rpgp
PACKAGED := $(shell find js www element fixtures/demo deploy -type f) $(wildcard worker/*.js) $(wildcard README.md CHANGELOG.md LICENSE)
BUILD_TOOL := $(CACHE)/build-tool/debug/sealgate-build
# wasm-pack looks for the wasm-bindgen of this crate's version on PATH, and downloads one where there is none.
WASM_PACK := $(CACHE)/wasm-pack-0.15.1
WASM_BINDGEN := $(CACHE)/wasm-bindgen-cli-$(shell sed -n 's/^wasm-bindgen = { version = "=\([0-9.]*\)".*/\1/p' Cargo.toml)
BY_WASM_PACK := target/wasm-pack/web target/wasm-pack/bundler target/wasm-pack/nodejs
MDBOOK := $(CACHE)/mdbook-0.5.4
# libFuzzer needs a nightly Rust: this one compiles the targets of fuzz/, and nothing else.
FUZZ_RUST := nightly-2026-05-20
CARGO_FUZZ := $(CACHE)/cargo-fuzz-0.13.2
# What the tests drive, by Debian's names.
PEERS_APT := chromium firefox-esr fish openssl zsh podman skopeo buildah containerd docker.io docker-registry crun wrk gnupg sq bzip2 gcc g++ pkg-config libgpgme-dev ca-certificates mmdebstrap systemd
export VECTORS TOPICS ON PROVIDER

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

.PHONY: serve
serve: pkg/package.json ## serve the demo at http://localhost:8787, or UPSTREAM=… POLICY=… [REGISTRIES_D=…] [NAME=…] [PORT=…] [PUBLIC_URL=…] [EGRESS=…] [CORS_ORIGINS=…] [PUBLISH_POLICY=none] and the other settings of docs/gateway.md; RUNTIME=node: in Node, by the package alone
	UPSTREAM="$(UPSTREAM)" POLICY="$(POLICY)" REGISTRIES_D="$(REGISTRIES_D)" NAME="$(NAME)" PORT="$(PORT)" PUBLIC_URL="$(PUBLIC_URL)" EGRESS="$(EGRESS)" CORS_ORIGINS="$(CORS_ORIGINS)" PUBLISH_POLICY="$(PUBLISH_POLICY)" node $(if $(filter node,$(RUNTIME)),pkg/cli.cjs serve $(if $(UPSTREAM)$(REGISTRIES),,--demo),worker/serve.mjs)

.PHONY: build
build: pkg/package.json ## make the npm package in pkg/
	@node tools/build/sizes.mjs pkg/*.wasm

.PHONY: test
test: ## everything, as CI runs it
	@tools/test.sh test-core lint test-targets test-wasm test-differential test-openpgp-differential $(if $(CI),vectors-sample,vectors-all) test-package $(if $(CI),,test-wasm-pack) test-page test-element test-docs-site test-clients test-deploy test-sigstore-differential test-reproducible test-publish test-licences

.PHONY: test-core
test-core: rust ## the core, natively
	cargo test --locked
	@$(MAKE) --no-print-directory test-examples

.PHONY: test-examples
DEMO := fixtures/demo
BLOB := fixtures/sigstore/blob-email
SIGNED_BY := dev@demo.example https://accounts.demo.example
test-examples: rust ## the examples of the crate, each with what it allows and what it refuses
	cargo build --locked --quiet --examples
	target/debug/examples/verify_image $(DEMO)/signed $(DEMO)/cosign.pub demo.example/demo/signed:1.0 | grep '^run demo.example/demo/signed@sha256:'
	! target/debug/examples/verify_image $(DEMO)/unsigned $(DEMO)/cosign.pub demo.example/demo/unsigned:1.0
	! target/debug/examples/verify_image $(DEMO)/copied $(DEMO)/cosign.pub demo.example/demo/copied:1.0
	target/debug/examples/verify_bundle $(BLOB)/bundle.json $(BLOB)/artifact $(SIGNED_BY) fixtures/sigstore/trusted_root.json | grep '^signed by '
	! target/debug/examples/verify_bundle $(BLOB)/bundle.json README.md $(SIGNED_BY) fixtures/sigstore/trusted_root.json
	target/debug/examples/explain_policy $(DEMO)/policy.json demo.example/demo/signed:1.0 | grep 'by the key in cosign.pub'

.PHONY: test-targets
test-targets: rust-targets ## the core builds without std, and for Rust's other WASM target
	cargo build --locked --lib --target thumbv7em-none-eabi --no-default-features
	cargo check --locked --lib --no-default-features --features expressions,gateway,lint
	cargo check --locked --lib --no-default-features --features openpgp

.PHONY: test-wasm
test-wasm: rust-targets ## the core's unit tests as WASM, in Node
	CARGO_TARGET_WASM32_WASIP1_RUNNER="node $(CURDIR)/pkg-tests/wasi.mjs" cargo test --locked --lib --test containers --test sigstore --target wasm32-wasip1

.PHONY: vectors
vectors: rust-targets $(if $(filter wasm chromium,$(ON)),pkg/package.json) $(if $(filter chromium,$(ON)),apt-peers) ## run test vectors: [VECTORS=DIR] [TOPICS=a,b] [ON=native|wasm|chromium] [PROVIDER=rust|webcrypto]
	conformance/vectors/run.sh

.PHONY: vectors-all
vectors-all: vectors-sample ## test vectors in all five ways: natively, and by Rust and by WebCrypto in Node and in Chromium
	ON=wasm PROVIDER=webcrypto conformance/vectors/run.sh
	ON=chromium PROVIDER=rust conformance/vectors/run.sh

# Each engine and each provider once, which CI runs.
.PHONY: vectors-sample
vectors-sample: rust-targets pkg/package.json apt-peers
	cargo test --quiet --locked --manifest-path conformance/vectors/Cargo.toml --target-dir target/vectors
	ON=native conformance/vectors/run.sh
	ON=wasm PROVIDER=rust conformance/vectors/run.sh
	ON=chromium PROVIDER=webcrypto conformance/vectors/run.sh

.PHONY: test-differential
test-differential: COUNT ?= $(if $(CI),2000)
test-differential: rust ## the same answers as containers/image: [SEED=N] [COUNT=N, 6000 if absent, in CI 2000] [CASE=N]
	@cargo build --quiet --locked --manifest-path conformance/differential/Cargo.toml --target-dir target/differential
	oracle="$$(pkg-tests/peers/build.sh policy-oracle)"; \
	target/differential/debug/sealgate-differential "$$oracle" $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(CASE),--case $(CASE))

OPENPGP_DIFFERENTIAL := target/differential/debug/sealgate-openpgp-differential

# With a planted defect it must fail, by its verdict (1) and not for want of something (2).
.PHONY: test-openpgp-differential
test-openpgp-differential: rust apt-peers ## simple signatures as containers/image judges them, with GnuPG and in Go: [SEED=N] [COUNT=N] [CASE=N] [PLANT=always-allow]
	@cargo build --quiet --locked --manifest-path conformance/openpgp-differential/Cargo.toml --target-dir target/differential
	oracles="$$(pkg-tests/peers/build.sh signature-oracle signature-oracle-go)"; \
	$(if $(PLANT),PLANT=$(PLANT)) $(OPENPGP_DIFFERENTIAL) $$oracles "$$(command -v skopeo)" $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(CASE),--case $(CASE)); \
	found=0; PLANT=always-allow $(OPENPGP_DIFFERENTIAL) $$oracles "$$(command -v skopeo)" --count 40 > /dev/null || found=$$?; \
	[ $$found = 1 ] || { echo "expected that always to allow is found (exit code 1), found $$found" >&2; exit 1; }

.PHONY: test-package
test-package: pkg/package.json apt-peers promtool pkg-tests/package/peers/node_modules/.package-lock.json ## the packed package in Node 20 to 24, browsers, workerd, bundlers and TypeScript
	node --test pkg-tests/package/*.test.mjs

pkg-tests/package/peers/node_modules/.package-lock.json: pkg-tests/package/peers/package.json pkg-tests/package/peers/package-lock.json
	npm ci --prefix pkg-tests/package/peers --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: test-wasm-pack
test-wasm-pack: $(BY_WASM_PACK) apt-peers ## what `wasm-pack build` makes, under js/, in Node, in a bundle and in Chromium
	node --test pkg-tests/wasm-pack/*.test.mjs

.PHONY: test-page
test-page: pkg/package.json apt-peers ## the page in Chromium and Firefox
	node --test pkg-tests/page/*.test.mjs

pkg-tests/miniflare/node_modules/.package-lock.json: pkg-tests/miniflare/package.json pkg-tests/miniflare/package-lock.json
	npm ci --prefix pkg-tests/miniflare --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: test-element
test-element: pkg/package.json apt-peers pkg-tests/element/node_modules/.package-lock.json ## the element for docs in Chromium and Firefox: on a website of another origin, and in a VitePress site
	pkg-tests/peers/build.sh cosign2 > /dev/null
	node --test --test-concurrency=2 pkg-tests/element/*.test.mjs

.PHONY: docs-site
docs-site: mdbook ## the pages of docs/ as a website in target/docs-site, whose element asks the demo: make serve CORS_ORIGINS='*'
	node tools/docs-site.mjs $(MDBOOK)/bin/mdbook target/docs-site

# Apart from test-element, since the first time mdBook is compiled, which takes minutes.
.PHONY: test-docs-site
test-docs-site: mdbook pkg/package.json apt-peers ## the pages of docs/ as a website, and examples/mdbook, with the element in them
	MDBOOK=$(MDBOOK)/bin/mdbook node --test pkg-tests/docs-site/*.test.mjs

pkg-tests/element/node_modules/.package-lock.json: pkg-tests/element/package.json pkg-tests/element/package-lock.json
	npm ci --prefix pkg-tests/element --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: test-clients
test-clients: pkg/package.json apt-peers go-peers pkg-tests/miniflare/node_modules/.package-lock.json ## real clients and registries against the worker
	node tools/fixtures/check.mjs
	node --test --test-concurrency=1 pkg-tests/clients/*.test.mjs
	RUNTIME=node node --test --test-concurrency=1 pkg-tests/clients/egress.test.mjs pkg-tests/clients/faults.test.mjs

# A client that is missing fails, here as in CI.
.PHONY: test-matrix
test-matrix: pkg/package.json apt-peers go-peers pkg-tests/miniflare/node_modules/.package-lock.json ## every client, by every kind of reference, with and without sign-in, through every runtime; writes docs/clients.md: [CLIENT=name]
	CI=true MATRIX=all $(if $(CLIENT),CLIENT="$(CLIENT)") node --test pkg-tests/clients/matrix.test.mjs

.PHONY: test-deploy
test-deploy: pkg/package.json apt-peers go-peers pkg-tests/deploy/node_modules/.package-lock.json ## the packed package as it is deployed: workerd by its configuration, systemd's units, wrangler and its local Cloudflare
	node --test --test-concurrency=1 pkg-tests/deploy/bundle.test.mjs pkg-tests/deploy/policy.test.mjs pkg-tests/deploy/state.test.mjs pkg-tests/deploy/workerd.test.mjs pkg-tests/deploy/cloudflare.test.mjs

.PHONY: test-deploy-container
test-deploy-container: pkg/package.json apt-peers go-peers ## the image of the Containerfile, on a base that mmdebstrap makes (once; minutes): built and run by buildah; not in CI
	node --test pkg-tests/deploy/container.test.mjs

pkg-tests/deploy/node_modules/.package-lock.json: pkg-tests/deploy/package.json pkg-tests/deploy/package-lock.json
	npm ci --prefix pkg-tests/deploy --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: test-faults
test-faults: pkg/package.json apt-peers go-peers ## what goes wrong at each step of a pull, through each runtime, and what the client has then: [STEP=name]
	CI=true FAULTS=all $(if $(STEP),STEP="$(STEP)") node --test pkg-tests/clients/fault-matrix.test.mjs

.PHONY: test-attack
test-attack: pkg/package.json apt-peers go-peers ## what a hostile tenant pushes, with every client and every spelling, and under load
	ATTACK=all node --test --test-concurrency=1 pkg-tests/clients/attack.test.mjs pkg-tests/clients/nodes.test.mjs pkg-tests/clients/load.test.mjs

.PHONY: bench
bench: pkg/package.json apt-peers pkg-tests/bench/node_modules/.package-lock.json ## bundles beside sigstore-js and the bare checks; the gateway beside a bare worker; the command line beside cosign; instantiation, memory: [BENCH="keyless cli …"] [ROUNDS=n] [WRK_ROUNDS=n] [SECONDS=n]
	@failed=0; for bench in $(or $(BENCH),keyless gateway cli instantiation memory); do node pkg-tests/bench/$$bench.mjs || failed=1; done; exit $$failed

.PHONY: bench-gateway
bench-gateway: pkg/package.json apt-peers ## layers of 100 MB through the gateway beside a bare pass-through; whole pulls beside docker-registry's mode `proxy` and nginx; what an image costs that nobody has asked for yet: [ROUNDS=n] [IMAGES=n]
	@command -v nginx > /dev/null || { echo "nginx is missing: apt-get install nginx-light" >&2; exit 1; }
	node pkg-tests/bench/pulls.mjs

# Not in CI: ten minutes.
.PHONY: soak
soak: pkg/package.json ## pulls at full rate for ten minutes, each answer looked at, without growth; keeps pkg-tests/bench/soak-RUNTIME.log: [RUNTIME=node|workerd] [SECONDS=n]
	RUNTIME="$(RUNTIME)" SECONDS="$(SECONDS)" node pkg-tests/bench/soak.mjs

pkg-tests/bench/node_modules/.package-lock.json: pkg-tests/bench/package.json pkg-tests/bench/package-lock.json
	npm ci --prefix pkg-tests/bench --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: test-sigstore-differential
test-sigstore-differential: CASES ?= $(if $(CI),40)
test-sigstore-differential: rust ## altered Sigstore bundles beside the crate sigstore-verify: [SEED=n] [CASES=n for each, 120 if absent, in CI 40] [SHOW=1]
	$(if $(CASES),CASES=$(CASES)) CARGO_TARGET_DIR=$(CACHE)/sigstore-differential cargo run --locked --quiet --manifest-path conformance/sigstore-differential/Cargo.toml

.PHONY: mutants-gateway
mutants-gateway: rust ## plant old defects into a copy of the gateway; its property tests must find each
	node pkg-tests/mutants/gateway.mjs

FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
FUZZ_SECONDS := $(or $(SECONDS),600)

# Without AddressSanitizer, which would look for what safe Rust cannot do, at a third of the rate.
.PHONY: fuzz
fuzz: cargo-fuzz ## what libFuzzer makes of the fixtures is read, and what must hold does: TARGET=openpgp_armor|openpgp_keyring|openpgp_packets [SECONDS=n] [RUNS=n]
	@case " $(FUZZ_TARGETS) " in *" $(or $(TARGET),none) "*) ;; *) echo "expected TARGET= one of: $(FUZZ_TARGETS)" >&2; exit 1;; esac
	cargo clippy --locked --all-targets --manifest-path fuzz/Cargo.toml --target-dir target/fuzz -- -D warnings $(OF_TESTS)
	fuzz/seeds.sh $(TARGET)
	PATH="$(CARGO_FUZZ)/bin:$$PATH" cargo +$(FUZZ_RUST) fuzz run --sanitizer none --target-dir target/fuzz $(TARGET) -- -max_total_time=$(FUZZ_SECONDS) $(if $(RUNS),-runs=$(RUNS)) -max_len=8192 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1

.PHONY: test-publish
test-publish: pkg/package.json ## what would be published, without publishing it; wants a clean work tree
	cargo publish --dry-run --locked
	npm pack --dry-run --loglevel=error ./pkg > /dev/null

.PHONY: test-reproducible
test-reproducible: pkg/package.json ## the same sources in another folder give the same package, byte by byte; in CI, one module of it
	tools/build/reproducible.sh $(if $(CI),target/modules/sealgate_full.wasm)

.PHONY: test-licences
test-licences: cargo-deny ## licences and sources of what is shipped; not advisories, whose database is a repository elsewhere (cargo deny check advisories)
	$(CACHE)/cargo-deny/bin/cargo-deny --locked check licenses bans sources

.PHONY: fixtures
fixtures: apt-peers go-peers ## make the demo images and test material again, with real cosign
	tools/fixtures/make.sh

.PHONY: lint
lint: lint-rust lint-js ## layout, lints and documentation of Rust; layout, lints and types of JavaScript

# Tests may be long tables, and may panic: that is how they fail.
OF_TESTS := -A clippy::too_many_lines -A clippy::indexing_slicing -A clippy::unwrap_used

.PHONY: lint-rust
lint-rust: rust-targets
	for crate in . $(CRATES); do cargo fmt --check --manifest-path $$crate/Cargo.toml; done
	cargo clippy --locked --lib -- -D warnings
	cargo clippy --locked --lib --target wasm32-unknown-unknown --features wasm,wasm-arithmetic -- -D warnings
	cargo clippy --locked --lib --target wasm32-unknown-unknown --no-default-features --features wasm,expressions,gateway,lint,openpgp -- -D warnings
	cargo clippy --locked --lib --target wasm32-unknown-unknown --no-default-features --features wasm -- -D warnings
	cargo clippy --locked --all-targets -- -D warnings $(OF_TESTS)
	cargo clippy --locked --all-targets --manifest-path conformance/vectors/Cargo.toml --target-dir target/vectors -- -D warnings
	cargo clippy --locked --all-targets --manifest-path conformance/differential/Cargo.toml --target-dir target/differential -- -D warnings
	cargo clippy --locked --all-targets --manifest-path conformance/openpgp-differential/Cargo.toml --target-dir target/differential -- -D warnings $(OF_TESTS)
	cargo clippy --locked --manifest-path tools/build/Cargo.toml --target-dir $(CACHE)/build-tool -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

.PHONY: lint-js
lint-js: pkg/package.json
	tools/node_modules/.bin/biome ci --error-on-warnings .
	tools/node_modules/.bin/tsc -p tools/tsconfig.json
	tools/node_modules/.bin/tsc -p conformance/vectors/tsconfig.json

.PHONY: setup
setup: rust-targets tools/node_modules/.package-lock.json apt-peers go-peers cargo-deny wasm-pack ## install what serve and the tests need and is missing: Rust targets, npm and Debian packages, the tests' peers

.PHONY: clean
clean: ## forget what was built here
	rm -rf target pkg

# The package. Everything below is quick when it is there.

target/modules/sealgate.wasm: FEATURES := wasm
target/modules/sealgate_gateway.wasm: FEATURES := wasm,gateway
target/modules/sealgate_full.wasm: FEATURES := wasm,gateway,expressions,lint,openpgp
target/modules/sealgate_node.wasm: FEATURES := wasm,gateway,expressions,lint,openpgp
target/modules/sealgate_arithmetic.wasm: FEATURES := wasm-arithmetic,openpgp
target/modules/sealgate_node.wasm target/modules/sealgate_arithmetic.wasm: PROFILE := speed
# Measured: 5, which LLVM has for size, gives 1 % more on the wire, 0 and 40 2 % more. The arithmetic and Node's are for speed.
target/modules/sealgate_node.wasm target/modules/sealgate_arithmetic.wasm: INLINING :=
$(MODULES): PROFILE ?= release
$(MODULES): INLINING ?= $(US)-Cllvm-args=-inline-threshold=20
$(MODULES): BUILT = target/wasm32-unknown-unknown/$(PROFILE)/sealgate
$(MODULES): $(SOURCES) | rust-targets
	RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS="$(NO_PATHS)$(NO_MESSAGES)$(INLINING)" cargo build --locked --profile $(PROFILE) --lib $(OWN_STD) --target wasm32-unknown-unknown --no-default-features --features $(FEATURES)
	@for file in $$(sed 's/^[^:]*: //' $(BUILT).d); do \
	  case " $(SOURCES) " in *" $${file#$(CURDIR)/} "*) ;; \
	  *) echo "$$file is compiled in, but a change to it would not build the module again: name it in SOURCES" >&2; exit 1;; esac; done
	@mkdir -p $(@D)
	@cp $(BUILT).wasm $@

# Another clone may have built another one there since, which Cargo would not see: it goes by the time of files.
.PHONY: always
always:
$(BUILD_TOOL): always
	@of=$$(cat tools/build/Cargo.toml tools/build/Cargo.lock tools/build/src/*.rs | sha256sum); \
	[ -x $@ ] && [ "$$of" = "$$(cat $@.of 2> /dev/null)" ] || { \
	  touch tools/build/src/main.rs; \
	  CARGO_TARGET_DIR=$(CACHE)/build-tool cargo build --locked --quiet --manifest-path tools/build/Cargo.toml; \
	  echo "$$of" > $@.of; }

# `wasm-pack build` without --out-dir writes into pkg/ what is not the package.
.PHONY: of-wasm-pack
pkg/package.json: $(if $(wildcard pkg/.gitignore),of-wasm-pack)

pkg/package.json: $(MODULES) $(BUILD_TOOL) $(PACKAGED) $(wildcard tools/build/*.mjs) tools/node_modules/.package-lock.json
	$(BUILD_TOOL) pkg $(MODULES)
	@touch $@

tools/node_modules/.package-lock.json: tools/package.json tools/package-lock.json
	@echo "installing npm packages in tools/node_modules"
	npm ci --prefix tools --no-fund --no-audit --loglevel=error
	@touch $@

# Debian's package would start a service: one program of it is unpacked.
PROMTOOL := $(CACHE)/prometheus/usr/bin/promtool
.PHONY: promtool
promtool: $(PROMTOOL)
$(PROMTOOL):
	mkdir -p $(CACHE)/prometheus
	cd $(CACHE)/prometheus && apt-get update -q && apt-get download -q prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xm ./usr/bin/promtool && rm prometheus_*.deb

# As anybody builds it. The flags are those of the package's modules, so that what these are made of is not compiled again.
.PHONY: $(BY_WASM_PACK)
$(BY_WASM_PACK): wasm-pack tools/node_modules/.package-lock.json
	PATH="$(WASM_BINDGEN)/bin:$(WASM_PACK)/bin:$$PATH" CARGO_ENCODED_RUSTFLAGS="$(NO_PATHS)" wasm-pack build --target $(@F) --out-dir $@ --features wasm --locked
	tools/node_modules/binaryen/bin/wasm-opt -O1 $@/sealgate_bg.wasm -o $@/sealgate_bg.wasm

.PHONY: rust
rust:
	@command -v cargo > /dev/null || { echo "cargo is missing: install Rust with rustup" >&2; exit 1; }

.PHONY: rust-targets
rust-targets: rust
	@for target in wasm32-unknown-unknown wasm32-wasip1 thumbv7em-none-eabi; do \
	  [ -d "$$(rustc --print sysroot)/lib/rustlib/$$target" ] || { echo "installing Rust's target $$target"; rustup target add $$target; }; done
	@[ -d "$$(rustc --print sysroot)/lib/rustlib/src" ] || { echo "installing the standard library's sources"; rustup component add rust-src; }

.PHONY: apt-peers
apt-peers:
	@missing=$$(for package in $(PEERS_APT); do dpkg-query -W -f='$${Status}' $$package 2> /dev/null | grep -q 'ok installed' || echo $$package; done); \
	if [ -n "$$missing" ]; then echo "installing Debian packages:" $$missing; apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; fi

.PHONY: go-peers
go-peers: apt-peers
	@echo "building the tests' Go programs that are missing in $(CACHE)/peers"
	@pkg-tests/peers/build.sh buildctl buildkitd containerd2 cosign2 cosign3 crane cri ctr2 distribution dockerd fulcio go-reader image-copy mirror-sets oci-conformance oras policy-oracle referrers-registry rekor2 signature-oracle signature-oracle-go timestamp-authority > /dev/null

.PHONY: cargo-deny
cargo-deny:
	@[ -x $(CACHE)/cargo-deny/bin/cargo-deny ] || { echo "installing cargo-deny in $(CACHE)"; $(call QUICKLY,0) cargo install --locked --quiet --root $(CACHE)/cargo-deny cargo-deny@0.20.2; }

.PHONY: cargo-fuzz
cargo-fuzz: rust
	@command -v c++ > /dev/null || { echo "a C++ compiler is missing, which builds libFuzzer: apt-get install g++" >&2; exit 1; }
	@rustup run $(FUZZ_RUST) rustc --version > /dev/null 2>&1 || { echo "installing Rust's $(FUZZ_RUST)"; rustup toolchain install $(FUZZ_RUST) --profile minimal; }
	@[ -x $(CARGO_FUZZ)/bin/cargo-fuzz ] || { echo "installing cargo-fuzz in $(CARGO_FUZZ)"; cargo install --locked --quiet --root $(CARGO_FUZZ) cargo-fuzz@$(lastword $(subst -, ,$(CARGO_FUZZ))); }

# Of tools that work for seconds: less optimised, which compiles sooner.
QUICKLY = CARGO_PROFILE_RELEASE_OPT_LEVEL=$(1) CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

.PHONY: mdbook
mdbook: rust
	@[ -x $(MDBOOK)/bin/mdbook ] || { echo "installing mdBook in $(MDBOOK)"; $(call QUICKLY,1) cargo install --quiet --locked --no-default-features --root $(MDBOOK) mdbook@$(lastword $(subst -, ,$(MDBOOK))); }

# The lock file of wasm-bindgen-cli 0.2.130 names a webpki-roots that crates.io does not give; what needs it is left out.
.PHONY: wasm-pack
wasm-pack: rust-targets
	@[ -x $(WASM_PACK)/bin/wasm-pack ] || { echo "installing wasm-pack in $(WASM_PACK)"; $(call QUICKLY,1) cargo install --quiet --locked --root $(WASM_PACK) wasm-pack@$(lastword $(subst -, ,$(WASM_PACK))); }
	@[ -x $(WASM_BINDGEN)/bin/wasm-bindgen ] || { echo "installing wasm-bindgen in $(WASM_BINDGEN)"; $(call QUICKLY,1) cargo install --quiet --no-default-features --bin wasm-bindgen --root $(WASM_BINDGEN) wasm-bindgen-cli@$(lastword $(subst -, ,$(WASM_BINDGEN))); }
