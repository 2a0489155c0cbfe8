#!/usr/bin/env bash
# Tries a more natural voice for the mini model. Makes training data with Kokoro-82M instead of espeak-ng, trains the
# tokenizer from Whisper base's first layers, continues the training of HiFT, LLM and flow from the shipped weights, and
# counts the wrong words of held-out sentences (proof.py). Every step continues where it stopped. .mini/ must not hold the data of all.sh; STATE names another
# folder.
# Needs espeak-ng, npm and:  pip install -e '.[dev,mini]'
# Minutes of training are CPU time of one thread.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHON=${PYTHON:-.venv/bin/python} STATE=${STATE:-.mini}
export OMP_NUM_THREADS=1
step() {
    echo "== $*"
    nice -n 19 "$PYTHON" -m "scripts.mini.$1" "${@:2}"
}

bash scripts/mini/kokoro_packages.sh
step kokoro_data pairs --minutes "${SPEECH_MINUTES:-240}" --folder "$STATE"
step kokoro_data single --minutes "${SINGLE_MINUTES:-60}" --folder "$STATE"
step speaker --folder "$STATE"
step tokenizer --minutes "${TOKENIZER_MINUTES:-36}" --tokens 1600 --data "$STATE/data" --out "$STATE/tokenizer" \
    --whisper "$STATE/whisper-base/model.bin"
for part in hift llm flow; do
    [ -e "$STATE/$part/state.pt" ] || step restart --parts "$part" --folder "$STATE"
done
mapfile -t parts < <(cd "$STATE/data" && basename -s .pkl -- *.pkl)
step codes "${parts[@]}" --folder "$STATE"
step llm --minutes "${LLM_MINUTES:-75}" --folder "$STATE" --out "$STATE/llm"
step flow --minutes "${FLOW_MINUTES:-45}" --folder "$STATE" --out "$STATE/flow"
step kokoro_waves --minutes 60 --folder "$STATE"
step vocoder --minutes "${VOCODER_MINUTES:-30}" --data "$STATE/vocoder" --folder "$STATE/hift"
step proof --sentences 20 --folder "$STATE"
