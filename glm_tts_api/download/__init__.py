"""Brings the official checkpoint. Standard library only, save `voices`: it runs before there is a .venv."""
