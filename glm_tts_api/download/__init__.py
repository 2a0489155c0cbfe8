"""Downloads the official checkpoint. Uses only the standard library, except in `voices`, since it runs before
.venv exists."""
