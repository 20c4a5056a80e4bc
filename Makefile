# `make run` and `make test` need nothing but Python 3.11 or newer; everything else they fetch themselves.

# The first that is new enough; another with: make PYTHON=/path/to/python3 run
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
# What commands need that look at the code without running the system.
STATIC := SECRET_KEY=only-to-read-settings DJANGO_SETTINGS_MODULE=retaildelivery.settings_test
TESTS ?=

.PHONY: run test lint format messages chromium clean

run: .venv/.runs
	@exec $(BIN)/python manage.py up --with-parent

# A browser test that was skipped is a page nobody looked at: the report says so and the run fails.
test: .venv/.tests chromium
	@mkdir -p var
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder --browsers-required $(TESTS)

lint: .venv/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(STATIC) $(BIN)/mypy
	$(BIN)/lint-imports
	find . \( -name '.*' ! -name . -o -name var -o -name node_modules \) -prune -o -path '*/templates/*.html' -print0 | xargs -0 -r $(BIN)/djade --target-version 5.2 --check
	@if command -v msgfmt >/dev/null; then find retaildelivery/locale -name '*.po' -exec msgfmt --check --output-file=/dev/null {} +; fi
	$(STATIC) $(BIN)/python manage.py check --fail-level WARNING
	$(STATIC) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: .venv/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/.tests
	$(STATIC) $(BIN)/python manage.py makemessages --locale es --no-obsolete --no-location --no-wrap --ignore .venv --ignore var --ignore "*/tests/*" --ignore "*/testing/*"
	$(STATIC) $(BIN)/python manage.py compilemessages --ignore .venv

# Stamps, so that a changed requirement is installed once and an unchanged one costs nothing.
.venv/.made:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making a virtual environment"
	@"$(PYTHON)" -m venv .venv
	@touch $@

.venv/.runs: requirements.txt .venv/.made
	@echo "Installing requirements.txt (under a minute when the packages are at hand)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements.txt
	@touch $@

.venv/.tests: retaildelivery/testing/requirements.txt .venv/.runs
	@echo "Installing retaildelivery/testing/requirements.txt"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement retaildelivery/testing/requirements.txt
	@touch $@

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			echo "Installing Chromium for the browser tests"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else \
			echo "The browser tests need Chromium: install it (Debian: sudo apt-get install chromium) and run make test again."; \
			exit 1; \
		fi; }

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
