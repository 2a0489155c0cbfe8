#!/usr/bin/env bash
# Every GPU test and measurement in one call of ten minutes at most. Prints one page to paste into an issue: the
# machine, a line for each file of tests, and a line for each row of scripts/benchmarks/gpu_rows.py with what was
# measured, its floor on this device and its goal. REPORT.md (gpu_check.md) has pytest's words as well.
#
#   bash scripts/gpu_check.sh [REPORT.md]
#
# Runs in $PYTHON, which is the project's own .venv unless told, or python3 where there is none. A bare machine with
# an NVIDIA GPU needs torch, transformers, numpy, safetensors, tiktoken, onnxruntime, msgspec and pytest; tests that
# need more are left out. No checkpoint: weights are made by a rule. The speaker encoder is timed where MODEL_DIR
# (ckpt) has it and kaldi-native-fbank is installed. Exit codes: 1, a test failed or a row that has to hold (a goal of
# speed that is missed is no failure); 2, no GPU.
set -euo pipefail
root="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
python="$root/.venv/bin/python"
[ -x "$python" ] || python=python3
exec "${PYTHON:-$python}" "$root/scripts/benchmarks/gpu_check.py" "${1:-gpu_check.md}"
