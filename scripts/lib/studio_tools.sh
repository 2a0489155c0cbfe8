# shellcheck shell=bash
# The tools for the studio's tests and checks, which need node. tests/studio/package-lock.json pins their versions.
# This file is sourced after common.sh, and never run by itself.

readonly STUDIO_TOOLS="$ROOT/tests/studio/node_modules"
readonly STUDIO_SCRIPTS=(glm_tts_api/studio/static/js tests/studio)

# has_studio_tools: succeeds if node and the tools are installed.
has_studio_tools() {
  command -v node >/dev/null && [[ -x $STUDIO_TOOLS/.bin/eslint && -x $STUDIO_TOOLS/.bin/prettier ]]
}

# ensure_studio_tools: installs the tools of the lock file. Without npm it only prints how to get npm.
ensure_studio_tools() {
  local lock="$ROOT/tests/studio/package-lock.json" installed="$STUDIO_TOOLS/.installed.json"
  ! cmp -s -- "$lock" "$installed" || return 0
  if ! command -v npm >/dev/null; then
    say "The studio's own tests need node (Debian, Ubuntu: apt install nodejs npm); without it they skip."
    return 0
  fi
  say "Installing the tools of the studio's tests into tests/studio/node_modules (210 MB)"
  if npm ci --prefix "$ROOT/tests/studio" --ignore-scripts --no-audit --no-fund --fetch-retries 1 --loglevel error; then
    cp -- "$lock" "$installed"
  else
    say "npm could not install them (above): the tests of the studio that need them skip."
  fi
}

# tell_of_browsers: if a browser for the studio's tests is missing, prints how to install it.
tell_of_browsers() {
  { find_chromium && { command -v firefox-esr || command -v firefox; } && command -v pulseaudio; } >/dev/null ||
    say "Not every test of the studio in a browser can run here; some skip (Debian, Ubuntu: apt install chromium firefox-esr pulseaudio)."
}

# find_chromium: prints the path of Chromium's program; fails if there is none.
find_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

# require_chromium: sets CHROMIUM to Chromium's program; ends the script if Chromium or the tools are missing.
require_chromium() {
  CHROMIUM="$(find_chromium)" || fail "$EXIT_REFUSED" "Chromium is needed (Debian, Ubuntu: apt install chromium)."
  ensure_studio_tools
  has_studio_tools || fail "$EXIT_REFUSED" "node and the tools of the studio's tests are needed (above)."
}

# in_chromium SCRIPT FOLDER: runs a script of tests/studio/browser on the server at URL. The script saves to FOLDER.
in_chromium() {
  STUDIO_URL="$URL" BROWSER=chrome BROWSER_PATH="$CHROMIUM" OUT="$2" \
    node --test --test-reporter=spec "tests/studio/browser/$1"
}
