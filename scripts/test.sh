#!/usr/bin/env bash
# Every check and test, in tiers (tests/conftest.py).
#
#   bash scripts/test.sh             the checks and every test; the goldens and the model also as a CPU with AVX2
#                                    alone runs them (tests/scripts/test_as_avx2.py)
#   bash scripts/test.sh quick       the checks, the tiers unit and server
#   bash scripts/test.sh long        what the first does, and the long forms: the engine with AVX2 alone,
#                                    client packages, Ray's kills, schemathesis, a text of twenty minutes,
#                                    texts that are made to take long, mutants
#   bash scripts/test.sh ARGUMENTS   the checks, then pytest with them: tests/text -k money
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/studio_tools.sh

# tests ARGUMENTS...: most tests wait for a server to start or to end, so six files run at a time on two cores, in
# the order of tests/conftest.py.
tests() {
  "$PYTHON" -m pytest -n 6 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=1 "$@"
}

# with_avx2 ARGUMENTS...: the same as a CPU without AVX-512 runs them.
with_avx2() {
  say "== as on a CPU with AVX2 alone: $1"
  ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 tests -n 2 "$@"
}

show_help "$@"
ensure_venv dev
ensure_studio_tools
tell_of_browsers
bash scripts/check.sh
# An operator has one thread: several that wait for each other, beside other tests, take three times its CPU time. And
# an engine's threads wait as they do in a server (glm_tts_api/engine/child.py).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-ACTIVE}" GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"
# Each of some 200 processes would compile the package anew.
unset PYTHONDONTWRITEBYTECODE
case ${1:-} in
  quick) tests --tier=unit --tier=server ;;
  '' | long)
    tests --tier=unit --tier=server --tier=model --tier=scripts --tier=browser --tier=cluster --tier=soak
    ;;
  *) exec "$PYTHON" -m pytest "$@" ;;
esac
[[ ${1:-} == long ]] || exit 0
say "== engines that die under a whole server"
tests --tier=long
with_avx2 tests/engine --ignore tests/engine/test_lost.py --ignore tests/engine/test_memory.py
for form in test_clients test_cluster hunt_http test_studio; do
  say "== scripts/checks/$form.sh"
  bash "scripts/checks/$form.sh"
done
say "== texts that are made to take long"
"$PYTHON" scripts/benchmarks/text_torture.py --texts 200
for room in audio engine stats text voices; do
  say "== mutants of $room"
  bash scripts/checks/mutants.sh "$room" 10
done
