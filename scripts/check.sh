#!/usr/bin/env bash
# Runs every check that needs no running code: format, lint, types, allowed imports, prose, shell scripts.
#
#   bash scripts/check.sh
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/common.sh"
source scripts/lib/studio_tools.sh

# run TITLE COMMAND...: starts a check in the background, so that all checks run in parallel.
run() {
  titles+=("$1")
  shift
  "$@" >"$WORK/${#titles[@]}" 2>&1 &
  checks+=($!)
}

# tell: prints the output of each check; succeeds if all checks passed.
tell() {
  local number status=0
  for number in "${!titles[@]}"; do
    say "== ${titles[number]}"
    wait "${checks[number]}" || status=1
    cat -- "$WORK/$((number + 1))"
  done
  return "$status"
}

take_arguments 0 "$@"
ensure_venv dev
WORK="$(mktemp -d)"
trap 'rm -rf -- "$WORK"' EXIT
titles=() checks=()
mapfile -t shell_scripts < <(find . -maxdepth 1 -name '*.sh' && find scripts mini .ci -name '*.sh' && echo .ci/run)
run "format (ruff)" "$PYTHON" -m ruff format --check .
run "lint (ruff)" "$PYTHON" -m ruff check .
run "types (mypy)" "$PYTHON" -m mypy
run "imports (import-linter)" "$VENV/bin/lint-imports"
run "prose (scripts/checks/prose.py)" "$PYTHON" -m scripts.checks.prose
run "links (scripts/checks/links.py)" "$PYTHON" -m scripts.checks.links
run "settings of the docs (scripts/make/settings_table.py)" "$PYTHON" -m scripts.make.settings_table --check
run "lines of rooms (scripts/checks/rooms.py)" "$PYTHON" -m scripts.checks.rooms
run "shell (shellcheck)" "$VENV/bin/shellcheck" --severity=style --external-sources --source-path="$ROOT" "${shell_scripts[@]}"
if has_studio_tools; then
  run "studio, lint (eslint)" "$STUDIO_TOOLS/.bin/eslint" --config tests/studio/eslint.config.js --max-warnings 0 "${STUDIO_SCRIPTS[@]}"
  run "studio, format (prettier)" "$STUDIO_TOOLS/.bin/prettier" --check --log-level warn --config tests/studio/prettier.json "${STUDIO_SCRIPTS[@]}" glm_tts_api/studio/static/css
else
  say "== studio: eslint and prettier are not here and were left out (bash scripts/test.sh installs them where npm is)"
fi
tell || fail "$EXIT_FAILED" "Not every check passed (above)."
say "All checks passed."
