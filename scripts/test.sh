#!/usr/bin/env bash
# Runs the checks and tests. Tests are grouped in tiers (tests/conftest.py).
#
#   bash scripts/test.sh             the checks and every test that is not long
#   bash scripts/test.sh quick       the checks, and the tiers unit and server
#   bash scripts/test.sh long        the same as the first command, and then the long tests: goldens, model and
#                                    engine with only AVX2, client packages, kills in a Ray cluster, schemathesis, a text
#                                    of twenty minutes, a short soak, texts that are made to take long, mutants
#   bash scripts/test.sh ARGUMENTS   the checks, and pytest with these arguments, such as tests/speech_text -k money
#
# The checks (scripts/check.sh) run in parallel with the tests. Their output is printed below that of the tests.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/studio_tools.sh

# tests ARGUMENTS...: runs pytest on six test files at a time, in the order of tests/conftest.py. Many tests wait for
# a server to start or to end, so two cores are enough. A test that fails runs a second time, two seconds later; the
# summary names it as RERUN, with its first error above.
tests() {
  "$PYTHON" -m pytest -n 6 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=1 \
    --reruns 1 --reruns-delay 2 --rerun-show-tracebacks -m "${MARKED:-not long}" "$@"
}

# tell_of_checks: waits for the checks and prints their output; succeeds if all checks passed.
tell_of_checks() {
  local status=0
  wait "$CHECKS" || status=1
  cat -- "$CHECKED"
  return "$status"
}

# with_avx2 ARGUMENTS...: runs tests as on a CPU without AVX-512.
with_avx2() {
  say "== as on a CPU with AVX2 alone: $*"
  ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 tests -n 2 "$@"
}

show_help "$@"
ensure_venv dev
ensure_studio_tools
tell_of_browsers
CHECKED="$(mktemp)"
trap 'rm -f -- "$CHECKED"' EXIT
bash scripts/check.sh >"$CHECKED" 2>&1 &
CHECKS=$!
# PyTorch gets one thread: several threads that wait for each other beside other tests take three times the CPU time.
# The waiting of threads and the allocation of memory are set as in an engine process (glm_tts_api/engine/child.py).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-ACTIVE}" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"
export THP_MEM_ALLOC_ENABLE="${THP_MEM_ALLOC_ENABLE:-1}"
# With this variable, each of about 200 processes would compile the package again.
unset PYTHONDONTWRITEBYTECODE
status=0
case ${1:-} in
  quick) tests --tier=unit --tier=server || status=$? ;;
  '' | long) tests || status=$? ;;
  *) "$PYTHON" -m pytest "$@" || status=$? ;;
esac
tell_of_checks || status=$EXIT_FAILED
((status == 0)) || exit "$status"
[[ ${1:-} == long ]] || exit 0
say "== tests that are marked long"
MARKED=long tests
with_avx2 tests/golden tests/model tests/engine --ignore tests/engine/test_lost.py --ignore tests/engine/test_memory.py
for form in test_clients test_cluster hunt_http test_studio; do
  say "== scripts/checks/$form.sh"
  bash "scripts/checks/$form.sh"
done
say "== what one small request enters"
"$PYTHON" -m scripts.checks.trace_request
say "== five minutes of scripts/checks/soak.sh"
bash scripts/checks/soak.sh 5
say "== texts that are made to take long"
"$PYTHON" -m bench.text_torture --texts 200
for room in audio engine stats speech_text voices; do
  say "== mutants of $room"
  bash scripts/checks/mutants.sh "$room" 10
done
