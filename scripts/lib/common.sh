# shellcheck shell=bash
# What every script shares: where the project is, how it speaks, its Python.
# Sourced, never run. Expects `set -euo pipefail`.

unset CDPATH
ROOT="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"
SCRIPT="$(realpath -- "$0")"
cd -- "$ROOT" || exit 1

# Exit codes of all scripts: tried and did not work; a setting, the checkpoint, the port or the machine does not
# allow it.
readonly EXIT_FAILED=1 EXIT_REFUSED=2

# say LINE...: tells the user; one whose terminal is gone is no reason to stop.
say() {
  printf '%s\n' "$*" 2>/dev/null || true
}

# fail CODE LINE...: tells what is wrong and ends the script.
fail() {
  local code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

# show_help ARGUMENT...: where one is -h or --help, prints the comment at the script's head and ends the script.
show_help() {
  [[ " $* " == *" -h "* || " $* " == *" --help "* ]] || return 0
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$SCRIPT"
  exit 0
}

# take_arguments MOST ARGUMENT...: show_help; ends the script where there are more than MOST, or an unknown option.
take_arguments() {
  local most=$1 argument
  shift
  show_help "$@"
  for argument in "$@"; do
    [[ $argument != -* ]] || fail "$EXIT_REFUSED" "$argument: no such option; --help shows the usage."
  done
  (($# <= most)) || fail "$EXIT_REFUSED" "${*:most + 1}: too much; --help shows the usage."
}

# usable_python PROGRAM: whether it is Python 3.11 to 3.13.
usable_python() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

# find_python MODULE: prints a Python 3.11 to 3.13 of this machine that has MODULE.
find_python() {
  local program
  for program in python3 python3.13 python3.12 python3.11; do
    if usable_python "$program" && "$program" -c "import $1" 2>/dev/null; then
      command -v "$program"
      return
    fi
  done
  fail "$EXIT_REFUSED" "Python 3.11, 3.12 or 3.13 is needed, with its module $1 (Debian, Ubuntu: apt install" \
    "python3-venv); found: $(python3 --version 2>&1 || true)"
}

# any_python: prints the Python of .venv where that runs, else one of this machine.
any_python() {
  if usable_python "$PYTHON"; then
    printf '%s\n' "$PYTHON"
  else
    find_python venv
  fi
}

# ensure_venv [EXTRA]: makes .venv on first use, and installs what pyproject.toml asks for when that changes.
ensure_venv() {
  local python
  python="$(any_python)"
  "$python" -m glm_tts_api.service venv "$@" || exit
}

# service COMMAND...: becomes start, stop, restart or status.
service() {
  local python
  python="$(any_python)"
  exec "$python" -m glm_tts_api.service "$@"
}
