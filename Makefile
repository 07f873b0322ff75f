# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.

export LLVM_SYS_221_PREFIX ?= /usr/lib/llvm-22
CARGO ?= cargo
WE3C = target/release/we3c

# Without LLVM 22 everything but the LLVM tier builds; `we3c doctor` says what is missing.
# Asked when it is used: `setup` may have installed it by then.
HAVE_LLVM = $(shell ls $(LLVM_SYS_221_PREFIX)/bin/llvm-config 2>/dev/null)

.PHONY: help setup build demo test bench-latency lint suite-list bless seeded-bugs bench bench-quick bench-check clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install what is missing (Debian packages, ptxas in .venv)
	@scripts/setup.sh

build: ## release build of we3c and, where LLVM is installed, of its worker
	$(CARGO) build --release -p we3-cli $(if $(HAVE_LLVM),-p we3-backend-llvm) $(FEATURES)

# The demo runs on this machine only, so it leaves out code for other processors: that is long to build.
demo: ## the handwritten-digits example on real data, on three backends
	@scripts/setup.sh demo
	@$(MAKE) --no-print-directory build FEATURES=--no-default-features
	@scripts/demo.sh

test: setup ## every test: unit, IR files, suite on all backends, diagnostics, PTX through ptxas
	@scripts/test.sh

bench-latency: build ## times of check, compile and start to result, against their bars, as CSV
	@bench/latency/latency.py

lint: setup ## formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets $(if $(HAVE_LLVM),--features we3-tests/llvm,--exclude we3-backend-llvm) -- -D warnings

suite-list: ## the generated part of the suite, and how many cases are written by hand
	@$(CARGO) run -q -p we3-tests --bin suite-list

bless: ## accept the output of the file tests after reading the diff
	WE3_BLESS=1 INSTA_UPDATE=always scripts/test.sh

seeded-bugs: ## seed bugs and check that the tests notice each (long)
	@scripts/seeded_bugs.py --need 45

bench: ## the kernels of bench/ beside NumPy, Numba, JAX, C and libraries, 1 and 2 threads (an hour)
	@scripts/bench.sh

bench-quick: ## the same with few rounds, one thread and the strongest peers
	@scripts/bench.sh --quick --threads 1

bench-check: ## the kernels of bench/ on every backend, bit for bit, and against NumPy
	@scripts/bench.sh --check

clean: ## remove build outputs
	$(CARGO) clean
