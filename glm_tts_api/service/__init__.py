"""Starts, stops, restarts and shows the server. Uses only the standard library, since it runs before .venv
exists."""
