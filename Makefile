# make demo    sets up, starts the demo, prints its address
# make test    sets up, then lint, format, types, tests and quality floors
# make pictures  photographs a running demo for README.md
# make messages  collects what the web app says, for translators
.PHONY: demo test setup setup-dev floors bench lock format pictures messages

demo: setup
	.venv/bin/broadsheet demo

test: setup-dev
	@scripts/setup_tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder
	.venv/bin/python benchmarks/gate.py

pictures: setup-dev
	.venv/bin/python scripts/take_screenshots.py

messages: setup-dev
	.venv/bin/python scripts/update_messages.py

setup:
	@scripts/setup

setup-dev:
	@scripts/setup dev

floors: setup-dev
	.venv/bin/python benchmarks/gate.py

bench: setup-dev
	.venv/bin/python benchmarks/speed.py

format: setup-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Write the lock files anew from pyproject.toml (newest versions that fit).
LOCK = .venv/bin/uv pip compile pyproject.toml --system-certs --universal --generate-hashes --quiet --python-version 3.11 --no-header
lock: setup-dev
	$(LOCK) --group dev --all-extras --upgrade -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock -o requirements.lock
