"""Starts, stops, restarts and shows the server. The standard library alone: it runs before .venv is there."""
