"""The state of the emulated account, on SQLite: stored, seeded, filled with scenarios."""
