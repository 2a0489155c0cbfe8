"""An HTTP server for the text-to-speech model GLM-TTS. Importing this package loads nothing else."""

__version__ = "0.1.0"
