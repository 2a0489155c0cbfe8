"""Starts, stops, restarts and shows the server. `venv` uses only the standard library, since it runs before
.venv exists."""
