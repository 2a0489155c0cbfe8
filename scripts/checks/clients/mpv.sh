#!/usr/bin/env bash
# Lets mpv play a streamed answer by its address: `bash mpv.sh URL FILE` saves the played audio as a WAV file.
set -euo pipefail
readonly URL=$1 FILE=$2
readonly SAID="index=exampleA&input_text=Hello,%20this%20is%20a%20test%20of%20the%20speech%20server.%20你好，世界。"
exec mpv --no-config --no-video --ao=pcm --ao-pcm-file="$FILE" "$URL/api/v1/tts?$SAID"
