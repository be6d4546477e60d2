# What a developer types. The work is in scripts/; tools go into .tools/, which git ignores.

.DEFAULT_GOAL := help
.PHONY: demo dev test test-monitoring scenarios packages bench chaos fuzz sbom lint generate tools clean help

demo: ## A whole hand-over on this machine; needs Rust alone
	@cargo run -q --locked -- demo

dev: ## Chatbridge and a sandbox Chat Gateway, to develop against; needs Rust alone
	@cargo run -q --locked -- dev

test: tools ## Lint, then every test; installs what is missing
	@scripts/test.sh

scenarios: tools ## The clients against a real service, in every language; ARGS="--language go --scenario NAME" picks
	@scripts/scenarios.sh $(ARGS)

packages: tools ## The clients' packages, into target/packages, each tried in an empty project
	@scripts/packages.sh

bench: ## What Chatbridge costs, against floors and peers of the same run; installs what is missing
	@scripts/tools.sh bench
	@cargo build --release --locked --quiet --bin chatbridge
	@PATH="$(CURDIR)/.tools/bin:$$PATH" cargo run --release --locked --quiet -p chatbridge-bench -- $(PARTS)

chaos: ## What becomes of events when things break, in ten minutes; installs redis-server and faketime if missing
	@scripts/tools.sh chaos
	@cargo test --locked --quiet --test chaos -- --full $(CHAOS)

fuzz: ## What others write, mutated, for FUZZ_SECONDS (600) each; TARGETS="jwk cursor" picks some
	@scripts/tools.sh fuzz
	@scripts/fuzz.sh long $(TARGETS)

sbom: ## Writes target/chatbridge.cdx.json: what is in the binary, as CycloneDX
	@scripts/tools.sh sbom
	@scripts/sbom.sh

test-monitoring: tools ## Alerts, their tests and the dashboard, against a real Prometheus, which is built first
	@scripts/tools.sh monitoring
	@scripts/monitoring.sh

lint: tools ## Format, lints, types, contract, freshness of generated code
	@scripts/lint.sh

generate: tools ## Writes the clients' code from proto/
	@scripts/generate.sh

tools: ## Installs the tools that test, lint and generate need
	@scripts/tools.sh

clean: ## Removes everything that was built or installed here
	@rm -rf target .tools clients/java/target clients/typescript/dist clients/typescript/build clients/typescript/node_modules
	@find . -type d \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile
