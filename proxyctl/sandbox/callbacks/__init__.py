"""What the emulated API calls in its turn: which parameters go out, where to, and what became of it."""
