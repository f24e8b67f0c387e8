# Everything a fresh machine needs, into .venv. PYTHON may name another Python, 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs clean

demo: .venv/demo
	@echo "Training on the built-in flowers: about 4 minutes. The plan and the progress follow."
	@rm -rf runs/demo
	$(BIN)/figment train flowers --recipe few-shot --augment none --resolution 32 --minutes 4 --run runs/demo
	$(BIN)/figment sample runs/demo --count 64 --out runs/demo/grid.png
	@echo "Look at runs/demo/grid.png and open runs/demo/report.html in a browser."

test: .venv/test check
	$(BIN)/python -m pytest -q -n 2

docs: .venv/docs
	$(BIN)/python docs/build.py
	@echo "Open site/index.html in a browser."

check: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/ty check

clean:
	rm -rf .venv runs/demo site

.venv/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "figment needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	@touch $@

.venv/demo: .venv/pip pyproject.toml constraints.txt
	@echo "Installing figment and what it stands on into .venv (torch is the large part)."
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[features,tensorboard]'
	@touch $@

.venv/test: .venv/demo
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group dev
	-$(BIN)/python -m figment.export.runtime  # pages are tested where a browser can draw
	@touch $@

.venv/docs: .venv/test
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group docs
	@touch $@
