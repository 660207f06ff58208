# make demo    sets up, starts the demo, prints its address
# make test    sets up, then lint, format, types, tests and quality floors
.PHONY: demo test setup check floors bench lock format

demo: setup
	.venv/bin/broadsheet demo

test: setup
	scripts/setup_tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/pytest -n 2 --dist loadfile
	.venv/bin/python benchmarks/gate.py

setup:
	@scripts/setup

floors: setup
	.venv/bin/python benchmarks/gate.py

bench: setup
	.venv/bin/python benchmarks/speed.py

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Write requirements.lock anew from pyproject.toml (newest versions that fit).
lock: setup
	.venv/bin/uv pip compile pyproject.toml --group dev --all-extras --universal --generate-hashes --quiet --upgrade --python-version 3.11 --no-header -o requirements.lock
