"""Profiles: the config file, which credentials are used, and secrets. Nothing else reads or writes the config."""
