"""The emulated Proxy: seeded, served, shown."""
