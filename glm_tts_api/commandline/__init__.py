"""The commands `glm-tts say`, `book` and `voices`. Each is an HTTP client of a server."""
