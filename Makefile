# What a developer types. The work is in scripts/; tools go into .tools/, which git ignores.

.DEFAULT_GOAL := help
.PHONY: demo dev test test-chart test-chart-api test-image test-monitoring browser scenarios packages bench chaos rolling fuzz sbom \
	deliveries lint generate generate-chart tools clean help

demo: ## A whole hand-over on this machine; needs Rust alone
	@cargo run -q --locked -- demo

dev: ## Chatbridge and a sandbox Chat Gateway, to develop against; needs Rust alone; ARGS are more options
	@cargo run -q --locked -- dev $(ARGS)

test: tools ## Lint, then every test; installs what is missing
	@scripts/test.sh

browser: tools ## The pages of the sandbox in a real Chromium; ARGS=pictures draws those in docs/images
	@scripts/browser.sh $(or $(ARGS),test)

test-chart: ## The Helm chart: renders, schemas, refusals, unit tests, linters; builds its tools with Go the first time
	@scripts/tools.sh chart
	@scripts/chart.sh

test-chart-api: ## The chart installed, upgraded and rolled back in an API server; builds that with Go the first time
	@scripts/tools.sh chart-api
	@.tools/venv/bin/python scripts/chart/api.py .tools/kubernetes-api .tools/bin .tools/kubernetes/definitions/*.yaml

test-image: ## What the container image is made of, run on nothing else; PROFILE=release as the image has it; needs root
	@scripts/tools.sh image
	@scripts/image.sh root target/image $(or $(PROFILE),dev)
	@scripts/image.sh check target/image

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

deliveries: ## Events to 200 webhooks of Chat API v2, some dead or slow, while replicas end; five minutes on a quiet machine
	@scripts/tools.sh chaos
	@cargo build --release --locked --quiet --bin chatbridge
	@cargo run --release --locked --quiet -p chatbridge-deliveries -- $(DELIVERIES)

rolling: ## Rolling restart, upgrade and rollback under load, by the chart's numbers; ten minutes on a quiet machine
	@scripts/tools.sh chaos
	@cargo build --release --locked --quiet --bin chatbridge --features next-entry-format
	@cp target/release/chatbridge target/release/chatbridge-next
	@cargo build --release --locked --quiet --bin chatbridge
	@cargo run --release --locked --quiet -p chatbridge-rolling -- $(ROLLING)
	@cargo run --release --locked --quiet -p chatbridge-rolling -- --upgrade $(ROLLING)

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

generate-chart: ## Writes the chart's values.yaml, schema and README from helm/values and the settings
	@scripts/tools.sh python
	@.tools/venv/bin/python scripts/chart/generate.py

tools: ## Installs the tools that test, lint and generate need
	@scripts/tools.sh

clean: ## Removes everything that was built or installed here
	@rm -rf target .tools clients/java/target clients/typescript/dist clients/typescript/build clients/typescript/node_modules
	@find . -type d \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile
