"""Profiles: the config file, which credentials win, and secrets. Nothing else reads or writes the config."""
