"""The commands that speak: `glm-tts say`, `book` and `voices`. Each is a client of a server, over HTTP."""
