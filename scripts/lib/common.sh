# shellcheck shell=bash
# What every script shares: where the project is, how it speaks, its Python, its settings.
# Sourced, never run. Expects `set -euo pipefail`.

unset CDPATH
ROOT="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"
SCRIPT="$(realpath -- "$0")"
cd -- "$ROOT" || exit 1
source scripts/lib/progress.sh

# Exit codes of all scripts: tried and did not work; a setting, the checkpoint, the port or the machine does not
# allow it; the server runs already, or another script is at work on it.
readonly EXIT_FAILED=1 EXIT_REFUSED=2 EXIT_BUSY=3
readonly INSTALL_LIMIT_S=14400 # 6.6 GB at 0.5 MB/s

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

# find_python [MODULE]: prints a Python 3.11 to 3.13 of this machine that has MODULE.
find_python() {
  local module=${1:-sys} program found=''
  for program in python3 python3.13 python3.12 python3.11; do
    usable_python "$program" || continue
    found=$program
    "$program" -c "import $module" 2>/dev/null || continue
    command -v "$program"
    return 0
  done
  if [[ -n $found ]]; then
    fail "$EXIT_REFUSED" "$found has no '$module' module, which making .venv needs." \
      "Install it (Debian, Ubuntu: apt install python3-venv) and try again."
  fi
  fail "$EXIT_REFUSED" "Python 3.11, 3.12 or 3.13 is needed; found: $(python3 --version 2>&1 || true)"
}

# ensure_venv [EXTRA]: makes .venv on first use, and installs what pyproject.toml asks for when that changes.
ensure_venv() {
  local extra=${1:-} lock stamp wanted
  exec {lock}<"$ROOT" # two first starts at once: the second waits for the first one's installation
  flock -n "$lock" || {
    say "Waiting for another script that installs into .venv"
    wait_for_installation "$lock"
  }
  if ! usable_python "$PYTHON"; then
    make_venv
  fi
  wanted="$(what_is_installed)" || fail "$EXIT_REFUSED" "pyproject.toml cannot be read (above)."
  for stamp in "$VENV/installed${extra:+-$extra}"*; do
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && break
    stamp=''
  done
  if [[ -z $stamp ]]; then
    say "Installing the packages of pyproject.toml${extra:+ and its extra $extra} into .venv" \
      "(the first time 6.6 GB of disk, 2 GB with a CPU build of PyTorch; later starts skip this)"
    install_packages ".${extra:+[$extra]}"
    stamp="$VENV/installed${extra:+-$extra}"
    printf '%s\n' "$wanted" >"$stamp.new"
    mv -- "$stamp.new" "$stamp"
  fi
  exec {lock}<&-
}

# wait_for_installation LOCK: waits until the other script is done, and tells how far it is.
wait_for_installation() {
  local begin=$SECONDS line
  progress_begins
  until flock -w 1 "$1"; do
    while read -r line; do
      read_pip_line "$line"
    done < <(tail -n 200 -- "$VENV/install.log" 2>/dev/null)
    progress "$((SECONDS - begin)) s of at most $INSTALL_LIMIT_S: $STEP"
    ((SECONDS - begin < INSTALL_LIMIT_S)) ||
      fail "$EXIT_BUSY" "The other script still holds $ROOT after $INSTALL_LIMIT_S s: end it and try again."
  done
  progress_ends
}

# what_is_installed: prints a digest of those parts of pyproject.toml that decide what pip installs.
what_is_installed() {
  "$PYTHON" - <<'END'
import hashlib, json, tomllib

with open("pyproject.toml", "rb") as file:
    whole = tomllib.load(file)
parts = [whole.get("build-system"), whole["project"], whole.get("tool", {}).get("setuptools")]
print(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())
END
}

# install_packages WHAT: pip into .venv; its many lines go to a file, and only where it fails to the user.
install_packages() {
  local log="$VENV/install.log" begin=$SECONDS bar=off
  "$PYTHON" -c 'import pip, sys; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (24, 1))' 2>/dev/null && bar=raw
  timeout --foreground "$INSTALL_LIMIT_S" "$PYTHON" -m pip install --disable-pip-version-check --no-input --progress-bar "$bar" -e "$1" 2>&1 |
    tee -- "$log" | show_pip || {
    grep -v '^Progress ' -- "$log" | tail -n 25 >&2
    fail "$EXIT_REFUSED" "pip could not install the packages (above; all of it: $log)." \
      "Nothing was started or stopped. docs/getting-started.md: mirrors, CPU builds, no internet."
  }
  say "  installed in $((SECONDS - begin)) s"
}

# make_venv: a new .venv with pip; one whose Python is gone is made again.
make_venv() {
  local python
  [[ ! -e $VENV || -w $VENV/ ]] || fail "$EXIT_REFUSED" "$PYTHON does not run as user $(id -un 2>/dev/null)," \
    "who may not make .venv anew either: it belongs to $(stat -c %U -- "$VENV")."
  python="$(find_python ensurepip)"
  say "Making .venv with $python ($("$python" --version))"
  "$python" -m venv --clear "$VENV" || fail "$EXIT_REFUSED" "$python -m venv failed (above)." \
    "If it asks for the venv package: apt install python3-venv"
}

# require_venv CODE: ends the script with CODE, before anything is installed, where no server was ever started.
require_venv() {
  usable_python "$PYTHON" && return
  [[ -L $PYTHON || -e $PYTHON ]] || fail "$1" "There is no .venv in $ROOT: no server was ever started here."
  fail "$EXIT_FAILED" "$PYTHON does not run as user $(id -un 2>/dev/null): whether a server runs here is not known." \
    "Run this as $(stat -c %U -- "$VENV"), or let bash restart_api.sh make .venv anew."
}

# load_settings: sets PORT, RUN_DIR and all others as the server itself reads them, in capitals.
load_settings() {
  local assignments
  assignments="$("$PYTHON" -m glm_tts_api settings)" || exit "$EXIT_REFUSED"
  eval "$assignments"
  RUN_DIR="$(absolute "$RUN_DIR")"
  LOG_FILE="$(absolute "$LOG_FILE")"
  mkdir -p -- "$RUN_DIR" || fail "$EXIT_REFUSED" "RUN_DIR=$RUN_DIR: cannot be made (above); choose another place."
  RUN_DIR="$(realpath -- "$RUN_DIR")"
  PID_FILE="$RUN_DIR/api_server.pid"
}

# absolute PATH: PATH as seen from the project folder.
absolute() {
  local home=~ # known without HOME too
  case $1 in
    /*) printf '%s\n' "$1" ;;
    '~' | '~'/*) printf '%s\n' "$home${1#'~'}" ;;
    *) printf '%s\n' "$ROOT/$1" ;;
  esac
}
