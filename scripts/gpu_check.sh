#!/usr/bin/env bash
# Runs every GPU test and measurement, in ten minutes at most. Prints one page to paste into an issue: the machine,
# the outcome of the tests, and a line for each row of bench/gpu_check.py with its figures and goals. REPORT.md (by
# default gpu_check.md) also has the output of pytest.
#
#   bash scripts/gpu_check.sh [REPORT.md]
#
# Runs with $PYTHON. By default this is the Python of the project's .venv, or python3 if there is no .venv. A bare
# machine with an NVIDIA GPU needs torch, transformers, numpy, safetensors, tiktoken, onnxruntime, msgspec and pytest.
# Tests that need more packages are left out. No checkpoint is needed: weights are random.
# Exit codes: 1, a test failed, or a row that must hold does not hold (a missed goal of speed is no failure); 2, there
# is no GPU.
set -euo pipefail
root="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
python="$root/.venv/bin/python"
[ -x "$python" ] || python=python3
exec "${PYTHON:-$python}" "$root/bench/gpu_check.py" "${1:-gpu_check.md}"
