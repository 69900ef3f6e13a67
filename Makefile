# Two commands: `make demo` to look at Usher, `make test` to trust it. The rest is for those who work on it.
# Needs python3 (3.11 or newer, with venv); everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
# Settings for steps that read the code but serve nobody: with both given, no key files are made.
IDLE := env -u DATABASE_URL USHER_SECRET_KEY=only-for-steps-that-serve-nobody-1 \
	USHER_PEPPER=only-for-steps-that-serve-nobody-2 DJANGO_SETTINGS_MODULE=usher.settings
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11
CODE := usher tests tools
# Tailwind reads the templates and the Python that names classes, so both belong to the look.
LOOK := $(shell find assets usher -path usher/staticfiles -prune -o -path usher/static/dist -prune -o -type f \
	\( -path 'assets/*' -o -name '*.html' -o -name 'kit.py' -o -path 'usher/*static/*' \) -print 2>/dev/null)

.PHONY: setup demo demo-lti serve test check proof bench assets lock clean
.PHONY: check-code check-format check-types check-templates check-imports check-migrations

setup: $(STAMPS)/assets
	@:

demo: setup
	@exec $(BIN)/usher demo

demo-lti: setup
	@exec $(BIN)/python tools/demo_lti.py

serve: setup
	@exec $(BIN)/usher serve

test: setup $(STAMPS)/idp
	@$(BIN)/python tools/run_tests.py

check: setup
	@$(MAKE) --no-print-directory --keep-going \
		check-code check-format check-types check-templates check-imports check-migrations

proof: setup $(STAMPS)/idp
	@$(BIN)/python tools/run_tests.py --proof

bench: setup $(STAMPS)/idp
	@$(BIN)/python tests/bench $(PARTS)

assets:
	@rm -f $(STAMPS)/assets
	@$(MAKE) --no-print-directory $(STAMPS)/assets

lock: $(STAMPS)/python
	$(COMPILE) --upgrade pyproject.toml -o requirements/app.txt
	$(COMPILE) --upgrade pyproject.toml --group dev -o requirements/dev.txt
	$(COMPILE) --upgrade --group uv -o requirements/uv.txt
	$(COMPILE) --upgrade --group node -o requirements/node.txt

clean:
	rm -rf $(VENV) node_modules tests/idp/node_modules usher/staticfiles usher/static/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

check-code:
	$(BIN)/ruff check $(CODE)
check-format:
	$(BIN)/ruff format --check $(CODE)
check-types:
	$(IDLE) $(BIN)/mypy --exclude ^tests/browser/ $(CODE)
	$(IDLE) $(BIN)/mypy tests/browser
check-templates:
	$(BIN)/djlint --quiet --lint --check usher
check-imports:
	$(BIN)/lint-imports --no-logo
check-migrations:
	$(IDLE) $(BIN)/django-admin makemigrations --check --dry-run
	$(IDLE) $(BIN)/python tools/lint_migrations.py

$(STAMPS)/python: requirements/dev.txt requirements/uv.txt pyproject.toml
	@echo "Installing Python packages ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/assets: $(STAMPS)/python package.json package-lock.json $(LOOK)
	@echo "Building assets ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tools/build_assets.sh
	@$(IDLE) $(BIN)/django-admin collectstatic --clear --noinput --verbosity 0
	@mkdir -p $(STAMPS) && touch $@

# Stand-ins for the identity providers; by now there is a Node.js, of the machine or in .venv.
$(STAMPS)/idp: tests/idp/package.json tests/idp/package-lock.json tests/idp/.npmrc | $(STAMPS)/assets
	@echo "Installing the stand-ins for identity providers ..."
	@cd tests/idp && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@
