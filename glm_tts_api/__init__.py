"""GLM-TTS behind HTTP. Importing the package loads nothing."""

__version__ = "0.1.0"
