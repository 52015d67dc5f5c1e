# The only commands to remember. `make serve` and `make test` set up whatever they need the first time.
UV := UV_PYTHON_DOWNLOADS=never tools/uv
RUN := $(UV) run --frozen
SOURCES := src tests bench tools hatch_build.py

.PHONY: serve dev test test-long check fix types reference bench wheel packages compiled

serve: ## Serve on http://127.0.0.1:8000 (ARGS="--port 9000" …)
	@$(RUN) --no-dev collegium serve $(ARGS)

dev: ## The server, and Vite on http://localhost:5173 which shows every change of the page at once
	COLLEGIUM_DEV_SERVER=http://127.0.0.1:8000 $(RUN) python hatch_build.py npm exec vite & \
	trap "kill $$!" EXIT INT TERM; $(RUN) collegium serve $(ARGS)

# Servers that tests start by the dozen find compiled what they import: they may run as others, who cannot keep it.
test test-long: export PYTHONDONTWRITEBYTECODE =
test test-long: compiled
compiled: packages
	UV_COMPILE_BYTECODE=1 $(UV) sync --frozen --quiet
	$(RUN) python -m compileall -q src

test: ## Every test but the long forms
	@# What runtimes are made of is fetched meanwhile, the first time.
	PYTHONPATH=tests $(RUN) python -m support.environment & \
	$(RUN) python hatch_build.py npm run test; tested=$$?; wait; exit $$tested
	@# Three at a time: one of them waits. What failed beside another is run once more alone, and counts if it fails again.
	$(RUN) pytest -m "not long" -n 3 --dist loadfile --no-loadscope-reorder $(ARGS) || \
	$(RUN) pytest -m "not long" --last-failed --last-failed-no-failures none $(ARGS)

test-long: ## The long forms: kill tests, fuzzing, soak
	$(RUN) pytest -m long $(ARGS)

check: ## Format, lint, types, floors, the page, and the wheel in a bare environment
	$(UV) sync --frozen --quiet
	$(RUN) ruff format --check $(SOURCES)
	$(RUN) ruff check $(SOURCES)
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python tools/reference.py --check
	$(RUN) python hatch_build.py npm run check
	$(RUN) python tools/check_wheel.py

fix: ## Format, and mend what can be mended by rule
	$(RUN) ruff format $(SOURCES)
	$(RUN) ruff check --fix $(SOURCES)

types: ## TypeScript types of the HTTP API, from the server itself
	$(RUN) python -m collegium.cli openapi > web/openapi.json
	$(RUN) python hatch_build.py npm run types

reference: ## The pages of docs/reference that are made from the code
	$(RUN) python tools/reference.py
	@# Of commands and shortcuts; `make test` says when they are stale.
	$(RUN) python hatch_build.py npm exec vitest run src/ui/commands/reference.test.ts -- -u

bench: packages ## Measure; docs/benchmarks.md says what the numbers mean
	$(RUN) python -m bench $(ARGS)

wheel: ## dist/collegium-*.whl, with the page inside
	$(UV) build --wheel

packages: ## What tests need from Debian: a browser, networks, R
	@tools/packages
