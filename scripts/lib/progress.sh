# shellcheck shell=bash
# How far something is that takes long, for who waits at a terminal or reads a log. Sourced by common.sh.

STEP='beginning'
PROGRESS_SAID=0

# progress_begins: what comes now may take long.
progress_begins() {
  PROGRESS_SAID=$SECONDS
}

# progress LINE: tells how far it is: on one line of a terminal that is written over, elsewhere each 30 s.
progress() {
  if [[ -t 1 ]]; then
    printf '\r\e[K  %.76s' "$1" 2>/dev/null || true
  elif ((SECONDS - PROGRESS_SAID >= 30)); then
    PROGRESS_SAID=$SECONDS
    say "  $1"
  fi
}

# progress_ends: makes the line of a terminal free again.
progress_ends() {
  [[ ! -t 1 ]] || printf '\r\e[K' 2>/dev/null || true
}

# show_pip: tells which step pip is at, whose lines come in, and for how long it goes.
show_pip() {
  local line begin=$SECONDS before ended=''
  before="$(count_packages)"
  progress_begins
  while [[ -z $ended ]]; do
    if read -r -t 1 line; then
      read_pip_line "$line"
    elif (($? <= 128)); then # not that nothing came for a second
      ended=yes
    fi
    if [[ $STEP == 'unpacking '* ]]; then
      progress "$((SECONDS - begin)) s: $STEP, $(($(count_packages) - before)) done"
    else
      progress "$((SECONDS - begin)) s: $STEP"
    fi
  done
  progress_ends
}

# count_packages: prints how many packages .venv holds.
count_packages() {
  compgen -G "$VENV/lib/python3*/site-packages/*.dist-info" | wc -l
}

# read_pip_line LINE: leaves in STEP what it says, in words for who does not know pip; many lines say nothing new.
read_pip_line() {
  local words commas file
  read -ra words <<<"$1"
  case $1 in
    *'Downloading '*.metadata*) ;;
    'Collecting '*) STEP="looking for ${words[1]%%[^A-Za-z0-9._-]*}" ;;
    *'Downloading '*'('*) # path/torch-2.9.0-cp313-manylinux.whl (530.0 MB)
      file=${words[1]##*/}
      STEP="downloading ${file%%-[0-9]*} ${words[*]:2}"
      ;;
    'Progress '*' of '*) # bytes
      if [[ $STEP == downloading* ]] && ((words[3] >= 10000000)); then
        words=("${STEP%% (*}" "$((words[1] / 1000000))" "$((words[3] / 1000000))")
        STEP="${words[0]} (${words[1]} of ${words[2]} MB)"
      fi
      ;;
    *'Preparing metadata'* | *'Building wheel'* | *'build dependencies'*) STEP='preparing packages' ;;
    'Installing collected packages: '*)
      commas=${1//[^,]/}
      STEP="unpacking $((${#commas} + 1)) packages"
      ;;
  esac
}
