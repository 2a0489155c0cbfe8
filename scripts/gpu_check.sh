#!/usr/bin/env bash
# Every GPU test and benchmark in one call of under ten minutes. Prints one page to paste into an issue: device,
# driver, versions, what passed and what failed, speed at 1, 4 and 16 requests, memory. REPORT.md (gpu_check.md) has
# the details as well.
#
#   bash scripts/gpu_check.sh [REPORT.md]
#
# For a bare machine with an NVIDIA GPU: needs torch, transformers, numpy, safetensors, tiktoken, onnxruntime and
# pytest, in $PYTHON (python3 by default), and no checkpoint. Exit codes: 1, a test or benchmark failed; 2, no GPU.
set -euo pipefail
root="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
exec "${PYTHON:-python3}" "$root/scripts/benchmarks/gpu_check.py" "${1:-gpu_check.md}"
