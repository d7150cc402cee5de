"""Logging in, and which credentials are used."""
