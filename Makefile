# make demo   a real SqueezeNet from Keras to an emulated Cortex-M7, verified bit for bit
# make test   everything .ci/run runs; at its end a table says how long each room took
# make quick  unit tests and the ladder on this computer, without boards, emulators, TensorFlow or
#             whole exports: under 90 seconds on two cores (needs gcc, not QEMU)
# make bench  memory and instructions of real networks on emulated boards, next to TFLM's; writes
#             docs/results/bench.md
# make docs   the documentation's site into build/site, which opens without a network; a broken link
#             or a page that is not in its nav is an error
# make pictures  the pictures of a real run in docs/assets, made anew (needs chromium)
# make golden what tests/ladder/golden.json keeps of plans and generated data, written anew; prints
#             each difference
# make soak   fuzzing, faults on the line, a long run, random networks, damaged models and build
#             folders: the figures, in at most 83 minutes
#             (make soak SOAK="link fuzz": only these parts)
# make oldest demo and a smoke test with the lowest version of each dependency that pyproject.toml
#             allows, in an environment of its own, which is removed again
# make clean  removes what was built, and the environment

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
OLDEST := build/oldest
RISCV := gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc
QUICK := tests/unit tests/ladder -m "not slow and not emulated" \
	$(addprefix --ignore=tests/unit/, zoo quantize/test_bake.py quantize/test_convert.py \
	calibrate/test_audit.py formats/tflite/test_rewrite.py) # these load TensorFlow to be collected
SMOKE := $(addprefix tests/, unit/builds/test_parity.py unit/zoo/test_squeezenet.py \
	import/test_keras_files.py unit/formats/onnx/test_integer.py \
	unit/formats/onnx/test_float_model.py unit/cli/test_documents.py unit/codegen/test_names.py \
	unit/calibrate/test_image.py unit/calibrate/test_folder.py)

.PHONY: demo test quick bench docs pictures golden soak oldest lint tools riscv browser labgrid clean

demo: tools
	$(BIN)/edgesq export --target cortex-m
	$(BIN)/edgesq flash
	$(BIN)/edgesq verify --count 100; code=$$?; $(BIN)/edgesq flash --stop; exit $$code

test: tools lint riscv browser labgrid
	command -v ser2net && command -v ccache || apt-get install -y ser2net ccache \
		|| true # without ser2net two test files skip; without ccache all is compiled again and again
	$(BIN)/pytest -n 2

quick: $(INSTALLED)
	$(BIN)/pytest -n 2 -q $(QUICK)

bench: tools riscv
	cd tests && ../$(BIN)/python -m bench --json ../build/bench.json $(BENCH)

docs: $(INSTALLED)
	cd docs && ../$(BIN)/python -m generate ../build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file build/docs/mkdocs.yml

pictures: tools browser
	cd docs && ../$(BIN)/python -m generate.pictures

golden: tools
	cd tests && ../$(BIN)/python -m support.golden

soak: tools
	@command -v clang >/dev/null || { apt-get update && apt-get install -y clang; }
	cd tests && ../$(BIN)/python -m soak --json ../build/soak.json $(SOAK)

oldest: tools
	rm -rf $(OLDEST)
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check uv
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST) --resolution lowest-direct --editable ".[convert,test]"
	$(OLDEST)/bin/edgesq export --target cortex-m --out build/oldest-demo
	grep -q '"name": "ONNX, QDQ"' build/oldest-demo/report.json
	! $(OLDEST)/bin/edgesq inspect build/oldest-demo | grep "^warning"
	$(OLDEST)/bin/edgesq flash --build build/oldest-demo
	$(OLDEST)/bin/edgesq verify --build build/oldest-demo --count 20; code=$$?; \
		$(OLDEST)/bin/edgesq flash --build build/oldest-demo --stop; exit $$code
	$(OLDEST)/bin/pytest -q $(SMOKE)
	rm -rf $(OLDEST) build/oldest-demo

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	git ls-files '*.c' '*.h' '*.cc' '*.cpp' | xargs $(BIN)/clang-format --dry-run --Werror

tools: $(INSTALLED)
	$(BIN)/edgesq doctor --install

# For target riscv32-virt, which few need; `edgesq doctor` says how to get them elsewhere.
riscv:
	@command -v riscv64-unknown-elf-gcc > /dev/null && command -v qemu-system-riscv32 > /dev/null \
		|| { apt-get update && apt-get install -y --no-install-recommends $(RISCV); }

# Only the tests need it: they look at the page that verify writes.
browser:
	@command -v chromium > /dev/null \
		|| { test $$(id -u) = 0 && apt-get update && apt-get install -y --no-install-recommends chromium; } \
		|| echo "no chromium: tests that open a page in it are skipped"

# Only the tests need it. An environment of its own: labgrid's pyserial would replace ours.
labgrid: $(INSTALLED)
	@test -x $(VENV)/labgrid/bin/labgrid-client \
		|| { $(PYTHON) -m venv $(VENV)/labgrid \
			&& $(VENV)/labgrid/bin/pip install --quiet --disable-pip-version-check "labgrid>=25"; } \
		|| echo "no labgrid: tests with its coordinator are skipped"

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV) || { apt-get update && apt-get install -y python3-venv; $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

clean:
	rm -rf build $(VENV)
