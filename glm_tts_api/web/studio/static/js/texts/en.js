// English. Keys are grouped by part.

import voices from "./en/voices.js";

export default {
  ...voices,

  // page
  "page.skip": "Skip to the text",
  "page.home": "GLM-TTS Studio",
  "page.nav": "Page",
  "page.docs": "API docs",
  "page.other": "中文",
  "theme.auto": "Colours: as the system",
  "theme.light": "Colours: light",
  "theme.dark": "Colours: dark",

  // errors
  "error.unreachable": "The server does not answer. Check that it is running, then try again.",
  "error.unauthorized": "This server asks for a key. Enter it at the top of the page, then try again.",
  "error.queue_full": "Many people are being spoken for right now.",
  "error.loading": "The model is still loading.",
  "error.draining": "The server is about to restart.",
  "error.replica_lost": "The machine that spoke has gone away.",
  "error.deadline_passed": "That took longer than the server allows. Try a shorter text, or try again later.",
  "error.text_too_long": "The text is longer than the server takes. Shorten it, or speak it in parts.",
  "error.nothing_to_say": "There is nothing in this text that can be spoken. Write some words.",
  "error.unknown_voice": "This voice is not there any more. Choose another.",
  "error.recording_missing": "This voice's recording is gone. Choose another voice, or record it again.",
  "error.internal": "Something broke on the server. Try again; if it stays, look into the server's log.",
  "error.cut": "The sound broke off. What came until then is kept.",
  "error.other": "{message}",

  // speak
  "speak.title": "What shall be said?",
  "speak.placeholder": "Write or paste a text, in Chinese, English or both.",
  "speak.samples": "Examples",
  "speak.button": "Speak",
  "speak.stop": "Stop",
  "speak.chars": ({ n }) => `${n.toLocaleString("en")} character${n === 1 ? "" : "s"}`,
  "speak.shortLane": "short lane",
  "speak.longLane": "long lane",
  "speak.about": "about {duration}",
  "time.seconds": "{n} s",
  "time.minutes": "{n} min {seconds} s",
  "sample.greeting": "A greeting",
  "sample.greeting.text": "Good evening. It is good to hear from you again.",
  "sample.numbers": "Numbers",
  "sample.numbers.text": "On 3 May 2026 at 9:45 the price fell by 12.5% to $39.80.",
  "sample.mixed": "Chinese and English",
  "sample.mixed.text": "今天我们来聊聊 machine learning，一共分3讲。",
  "progress.starting": "Starting…",
  "progress.inLine": ({ n }) => (n === 1 ? "In line: you are next" : `In line: ${n - 1} before you`),
  "progress.speaking": "Speaking…",
  "progress.segment": "Segment {segment} of {segments}",
  "progress.retry": "Trying again in {n} s.",
  "progress.done": "{seconds} s of sound, the first after {first} s",
  "progress.stopped": "Stopped",

  // player
  "player.title": "Player",
  "player.empty": "The sound appears here while it is made.",
  "player.picture": "Picture",
  "player.lines": "What is said",
  "player.play": "Play",
  "player.pause": "Pause",
  "player.seek": "Position in the sound",
  "player.position": "{at} of {of}",
  "player.waveform": "Waveform",
  "player.spectrogram": "Spectrogram",

  // reading
  "reading.title": "How it will be read",
  "reading.empty": "How it will be read appears here: its segments, and what numbers become.",
  "reading.pause": "pause {seconds} s",
  "reading.speed": "speed {speed}",
  "reading.dropped": "Left out",

  // control
  "control.title": "Options",

  // takes
  "takes.title": "Takes",

  // see
  "see.title": "Server",
  "see.lane.short_text": "Short texts",
  "see.lane.long_text": "Long texts",
  "see.taken": "{active} of {limit}",
  "see.takenAndWaiting": "{active} of {limit}, {waiting} waiting",
  "see.last": "The last request",
  "see.lastSummary": "{sound} s of sound, made in {taken} s",
  "see.nothingYet": "Nothing was spoken yet.",
  "see.seconds": "{n} s",
  "see.stage.queue": "In line",
  "see.stage.text": "Text",
  "see.stage.prefill": "Prefill",
  "see.stage.decode": "Decode",
  "see.stage.flow": "Flow",
  "see.stage.vocoder": "Vocoder",
  "see.stage.encode": "Encode",
  "see.stage.send": "Send",
  "see.status.asking": "…",
  "see.status.healthy": "Ready",
  "see.status.idle": "Asleep until the next text",
  "see.status.loading": "Loading the model…",
  "see.status.draining": "About to restart",
  "see.status.unhealthy": "Cannot speak",
  "see.status.unreachable": "No answer",
  "see.version": "Version {version}",
  "see.demonstration":
    "This is the small model that comes along, to try things out. For the official one: bash scripts/download_model.sh, then bash restart_api.sh",
  "see.docs": "API docs",
  "see.metrics": "Metrics",
  "see.key": "API key",
  "see.keyHint":
    "This server asks for a key. It is kept until this tab is closed, and sent to this server alone.",
  "see.keyWrong": "The server does not know this key. Check it and try again.",
  "see.keyUse": "Use this key",
  "see.keyForget": "Forget the key",
};
