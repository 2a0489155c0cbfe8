// English. Keys are grouped by part.

export default {
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

  // player
  "player.title": "Player",
  "player.empty": "The sound appears here while it is made.",
  "player.picture": "Picture",
  "player.lines": "What is said",

  // reading
  "reading.title": "How it will be read",

  // voices
  "voices.title": "Voice",

  // control
  "control.title": "Options",

  // takes
  "takes.title": "Takes",

  // see
  "see.title": "Server",
};
