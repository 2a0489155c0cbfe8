#!/usr/bin/env bash
# Every GPU test and measurement in one call of ten minutes at most. Prints one page to paste into an issue: the
# machine, a line for each file of tests, and a line for each row of scripts/benchmarks/gpu_rows.py with what was
# measured, its floor on this device and its goal. REPORT.md (gpu_check.md) has pytest's words as well.
#
#   bash scripts/gpu_check.sh [REPORT.md]
#
# For a bare machine with an NVIDIA GPU: needs torch, transformers, numpy, safetensors, tiktoken, onnxruntime, msgspec
# and pytest, in $PYTHON (python3 by default), and no checkpoint: weights are made by a rule. The official speaker
# encoder is timed where MODEL_DIR (ckpt) has it and kaldi-native-fbank is installed. Exit codes: 1, a test or a row
# that has to hold failed (a goal of speed that is missed is no failure); 2, no GPU.
set -euo pipefail
root="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
exec "${PYTHON:-python3}" "$root/scripts/benchmarks/gpu_check.py" "${1:-gpu_check.md}"
