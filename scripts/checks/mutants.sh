#!/usr/bin/env bash
# Mutation testing with cosmic-ray: changes one place of the code at a time, and runs the tests of the same subpackage.
# Works in a copy of the last commit, and prints the changes (mutants) on which no test fails.
#
#   bash scripts/checks/mutants.sh ROOM [COUNT]      ROOM: audio, speech_text, ...; COUNT: random mutants (40)
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"

take_arguments 2 "$@"
room=${1:?usage: mutants.sh ROOM [COUNT]} count=${2:-40}
package=glm_tts_api/$room
[[ $room != speech_text ]] || package=speech_text
[[ -d $package && -d tests/$room ]] || fail "$EXIT_REFUSED" "There is no $package with tests/$room."
ensure_venv dev
"$PYTHON" -m pip install --quiet --disable-pip-version-check -c constraints.txt cosmic-ray
tree="$(mktemp -d)"
trap 'git worktree remove --force "$tree/tree"; rm -rf -- "$tree"' EXIT
git worktree add --quiet --detach "$tree/tree"
cd -- "$tree/tree"
export PATH="$VENV/bin:$PATH" PYTHONPATH="$tree/tree" PYTHONDONTWRITEBYTECODE=1
sed "s|PACKAGE|$package|; s/ROOM/$room/" scripts/checks/cosmic-ray.toml >"$tree/config.toml"
python -m pytest -q -x -n0 "tests/$room" >"$tree/before" || fail "$EXIT_FAILED" "$(tail -n 20 -- "$tree/before")" \
  "The tests of $room fail without a mutant (above)."
python -m cosmic_ray.cli init "$tree/config.toml" "$tree/session"
python -m cosmic_ray.tools.filters.operators_filter "$tree/session" "$tree/config.toml"
python - "$tree/session" "$count" <<'END'
import sqlite3, sys

with sqlite3.connect(sys.argv[1]) as session:
    drawn = "SELECT job_id FROM work_items WHERE job_id NOT IN (SELECT job_id FROM work_results) ORDER BY job_id LIMIT ?"
    kept = session.execute(drawn, [int(sys.argv[2])]).fetchall()
    session.execute("CREATE TEMP TABLE kept (job_id)")
    session.executemany("INSERT INTO kept VALUES (?)", kept)
    for table in ("work_results", "mutation_specs", "work_items"):
        session.execute(f"DELETE FROM {table} WHERE job_id NOT IN (SELECT job_id FROM kept)")
END
python -m cosmic_ray.cli exec "$tree/config.toml" "$tree/session"
python -m cosmic_ray.tools.report --surviving-only --show-diff "$tree/session"
