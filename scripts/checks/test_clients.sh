#!/usr/bin/env bash
# Lets widely used client packages speak through this server. Each package is installed from PyPI or npm into a
# separate environment. The length of the audio that each client saves is compared with that of a whole answer. If the
# extra `mini` is installed, a recogniser also checks the words.
#
#   bash scripts/checks/test_clients.sh [URL]       URL of a running server; without URL a server is started
#
# The environments (3.4 GB) stay in ~/.cache/glm-tts-api/clients. Needs Python 3.12, npm, mpv, curl and, for
# voice-mode, the header files of ALSA and PortAudio.
# Exit codes: 1, a client did not receive the whole audio; 2, a program is missing.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/../lib/common.sh"
source scripts/lib/own_server.sh

take_arguments 1 "$@"

readonly LIVEKIT='livekit-plugins-openai==1.8.9 livekit-plugins-elevenlabs==1.8.9'
# (the client's script, its packages, the file that the script writes)
readonly CLIENTS=(
  'openai_sdk|openai==3.57.0|openai.mp3'
  'zai_sdk|zai-sdk==0.2.3|zai.wav'
  'openai_agents|openai-agents[voice]==0.24.0|agents.wav'
  "livekit_plugin|$LIVEKIT|livekit-sse.wav"
  "livekit_plugin|$LIVEKIT|livekit-tts-1.wav"
  "livekit_plugin|$LIVEKIT|livekit-8khz.wav"
  'pipecat_service|pipecat-ai[openai]==1.14.0|pipecat.wav'
  'pipecat_service|pipecat-ai[openai]==1.14.0|pipecat-twilio.wav'
  'wyoming_bridge|wyoming_openai==0.8.0|wyoming.wav'
  'litellm_sdk|litellm==1.108.7|litellm.mp3'
  'elevenlabs_sdk|elevenlabs==2.78.0|elevenlabs.mp3'
  'elevenlabs_sdk|elevenlabs==2.78.0|elevenlabs.wav'
  'elevenlabs_sdk.mjs|@elevenlabs/elevenlabs-js@2.73.0|elevenlabs-js.mp3'
  'elevenlabs_sdk.mjs|@elevenlabs/elevenlabs-js@2.73.0|elevenlabs-js.wav'
  'openai_sdk.mjs|openai@6.49.0|openai-js.mp3'
  'ai_sdk.mjs|ai@6.0.326 @ai-sdk/openai@3.0.141|ai.mp3'
  'sillytavern.mjs|sillytavern@1.19.0|sillytavern.mp3'
  'open_webui|--no-deps open-webui==0.12.4|open-webui.mp3'
  'voice_mode|voice-mode==9.0.1|voice-mode.wav'
  'mpv.sh||mpv.wav'
)
readonly CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/glm-tts-api/clients"

# environment SCRIPT PACKAGES: makes the environment on first use and when PACKAGES changes.
environment() {
  local folder="$CACHE/$1" packages
  [[ -z $2 || -f $folder/installed && $(<"$folder/installed") == "$2" ]] && return
  say "== installing $2"
  rm -rf -- "$folder"
  read -ra packages <<<"$2"
  if [[ $1 == *.mjs ]]; then
    npm install --silent --no-audit --no-fund --prefix "$folder" "${packages[@]}"
  else
    python3.12 -m venv "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check "${packages[@]}"
  fi
  printf '%s' "$2" >"$folder/installed"
}

# run_client SCRIPT FILE: runs a client, which saves its audio to FILE. Node looks for packages beside the script.
run_client() {
  local here=scripts/checks/clients
  if [[ $1 == *.mjs ]]; then
    cp -- "$here"/*.mjs "$CACHE/$1"
    node "$CACHE/$1/$1" "$URL" "$2"
  elif [[ $1 == *.sh ]]; then
    bash "$here/$1" "$URL" "$2"
  else
    "$CACHE/$1/bin/python" "$here/$1.py" "$URL" "$2"
  fi
}

readonly WANTED='curl nodejs npm mpv libasound2-dev libportaudio2'
for program in curl node npm mpv; do
  command -v "$program" >/dev/null || fail "$EXIT_REFUSED" "$program is needed (Debian, Ubuntu: apt install $WANTED)."
done
[[ -f /usr/include/alsa/asoundlib.h ]] || fail "$EXIT_REFUSED" "voice-mode needs: apt install $WANTED"
python3.12 -c 'import venv' 2>/dev/null || fail "$EXIT_REFUSED" "Open WebUI needs Python 3.12 with its venv module."
URL="${1:-}"
[[ -n $URL ]] || start_server
export NO_PROXY='*' no_proxy='*'
for client in "${CLIENTS[@]}"; do
  IFS='|' read -r script packages file <<<"$client"
  environment "$script" "$packages"
  say "== ${packages:-$script} -> $file"
  run_client "$script" "$WORK/$file" >"$WORK/$file.log" 2>&1 || {
    tail -n 20 -- "$WORK/$file.log" >&2
    fail "$EXIT_FAILED" "$script did not speak (its output's end is above)."
  }
done
"$PYTHON" scripts/checks/clients/compare_heard.py "$URL" "$WORK"/*.{mp3,wav}
