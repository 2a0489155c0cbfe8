# shellcheck shell=bash
# Functions and variables for all scripts: the project's folder, messages, and the Python to use.
# This file is sourced and never run by itself. Expects `set -euo pipefail`.

unset CDPATH
ROOT="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"
SCRIPT="$(realpath -- "$0")"
cd -- "$ROOT" || exit 1

# Exit codes of all scripts. EXIT_FAILED: the script tried and failed. EXIT_REFUSED: a setting, the checkpoint, the
# port or the machine does not allow the action.
readonly EXIT_FAILED=1 EXIT_REFUSED=2

# say LINE...: prints to the user, and does not fail if the terminal is gone.
say() {
  printf '%s\n' "$*" 2>/dev/null || true
}

# fail CODE LINE...: prints an error and ends the script with exit code CODE.
fail() {
  local code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}

# show_help ARGUMENT...: if an argument is -h or --help, prints the comment at the script's head and ends the script.
show_help() {
  [[ " $* " == *" -h "* || " $* " == *" --help "* ]] || return 0
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$SCRIPT"
  exit 0
}

# take_arguments MOST ARGUMENT...: calls show_help, and ends the script if there are more than MOST arguments or an
# option.
take_arguments() {
  local most=$1 argument
  shift
  show_help "$@"
  for argument in "$@"; do
    [[ $argument != -* ]] || fail "$EXIT_REFUSED" "$argument: no such option; --help shows the usage."
  done
  (($# <= most)) || fail "$EXIT_REFUSED" "${*:most + 1}: too much; --help shows the usage."
}

# usable_python PROGRAM [MODULE]: succeeds if PROGRAM is Python 3.11 to 3.13 and has MODULE.
usable_python() {
  "$1" -c "import sys, ${2:-sys}; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2>/dev/null
}

# find_python MODULE: prints the path of a Python 3.11 to 3.13 on this machine that has MODULE; else ends the script.
find_python() {
  local program
  for program in python3 python3.13 python3.12 python3.11; do
    if usable_python "$program" "$1"; then
      command -v "$program"
      return
    fi
  done
  fail "$EXIT_REFUSED" "Python 3.11, 3.12 or 3.13 is needed, with its module $1 (Debian, Ubuntu: apt install" \
    "python3-venv); found: $(python3 --version 2>&1 || true)"
}

# ensure_venv [EXTRA]: makes .venv on first use, and installs the packages of pyproject.toml again when they change.
ensure_venv() {
  local python=$PYTHON
  usable_python "$python" || python="$(find_python ensurepip)"
  "$python" -m glm_tts_api.service.venv "$@" || exit
}

# service COMMAND...: replaces the script by the Python program that runs COMMAND (start, stop, restart or status).
service() {
  [[ $1 != *start ]] || ensure_venv ""
  if ! usable_python "$PYTHON"; then
    [[ ! -e $PYTHON && ! -L $PYTHON ]] || fail "$EXIT_FAILED" "$PYTHON does not run as user $(id -un): whether a" \
      "server runs here is not known. Run this as $(stat -c %U "$VENV"), or let bash restart_api.sh make .venv anew."
    say "There is no .venv in $ROOT: no server was ever started here."
    [[ $1 == stop ]] && exit
    exit 3
  fi
  exec "$PYTHON" -m glm_tts_api "$@"
}
