#!/usr/bin/env bash
# Tests faults that a server must survive, in sections. Each section prints its checks and their results.
# docs/reliability.md has the results of a whole run.
#
#   bash scripts/checks/torture.sh [SECTION...] [--minutes 60] [--rate 0.7] [--json FILE]
#
#   soak        20 clients use everything for --minutes, and begin --rate actions a second in all: all routes,
#               formats, sample rates, API dialects, WebSockets, books, changes of voices and words; a tenth disconnect
#               early, a twentieth time out, an engine process is killed every two minutes; --json has the memory
#               of each process by kind and minute
#   kills       kill -9 at 200 moments while voices, words, books and the log are written
#   faults      a full disk, read-only folders, a full TMPDIR, no file handles, a clock that is set back, no name
#               server, no memory
#   recordings  2,000 recordings in many containers, broken in many ways, to every route that takes a recording
#   fuzz        fuzzes the text front end and every parser of bytes with hypothesis for 20 minutes
#
# Without SECTION all sections run. They start their own servers, and use temporary disks and files. The section
# faults needs root, cgroups and libfaketime (Debian: apt install faketime). For random requests by schemathesis see
# scripts/checks/hunt_http.sh. Exit codes: 1, a check failed; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"

show_help "$@"
ensure_venv dev
# Disks and name servers of its own, which end with it.
own_mounts=()
if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
  own_mounts=(unshare --mount)
fi
exec "${own_mounts[@]}" "$PYTHON" -m scripts.checks.torture "$@"
