#!/usr/bin/env bash
# Every check and test. Arguments go to pytest; without any, the tests of numbers run once more as a CPU with AVX2
# alone would run them: other kernels, without VNNI and bf16 units (tests/this_cpu.py).
#
#   bash scripts/test.sh
#   bash scripts/test.sh tests/text -k money
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/studio_tools.sh

ensure_venv dev
ensure_studio_tools
tell_of_browsers
bash scripts/check.sh
# The engine's threads wait as they do in a server (glm_tts_api/launch.py).
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"
(($# == 0)) || exec "$PYTHON" -m pytest "$@"
# Most tests wait for a server to start or to end: two files at a time, in the order of their names.
in_parallel=(-n 2 --dist loadfile --no-loadscope-reorder)
say "== tests (pytest)"
"$PYTHON" -m pytest "${in_parallel[@]}"

# Left out: what reads files and strings, what starts processes, and what was run as another CPU already.
once=(
  --ignore tests/model/test_checkpoint.py
  --ignore tests/model/test_tokenizer.py
  --ignore tests/engine/test_lost.py
  --ignore tests/engine/test_memory.py
  --deselect tests/golden/test_fill.py
  --deselect 'tests/golden/test_parity.py::test_golden_file[text_frontend]'
  --deselect 'tests/golden/test_parity.py::test_golden_file[tokenizer]'
  --deselect tests/model/test_linear.py::test_on_cpus_with_fewer_instructions_too
  --deselect tests/model/test_placement.py::test_bf16_on_a_cpu_without_units_for_it_is_a_warning_that_says_what_to_set
)
say "== tests of numbers, as on a CPU with AVX2 alone (pytest)"
ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 \
  "$PYTHON" -m pytest "${in_parallel[@]}" tests/golden tests/model tests/engine "${once[@]}"
