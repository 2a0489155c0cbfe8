#!/usr/bin/env bash
# Takes pictures of the studio's main states, in both languages and themes, on a laptop, a phone and a 4K screen.
#
#   bash scripts/checks/studio_shots.sh [FOLDER]       by default out/studio
#
# Needs chromium, node and npm. Starts a server for the pictures. Exit codes: 1, the studio did not reach a state; 2,
# a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh
source scripts/lib/studio_tools.sh

take_arguments 1 "$@"
require_chromium
FOLDER="$(realpath -m -- "${1:-out/studio}")"
mkdir -p -- "$FOLDER"
start_server
in_chromium shots.js "$FOLDER"
say "Pictures: $FOLDER"
