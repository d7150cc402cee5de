"""Carrying out many changes: input, pace, engine, history, lock. Knows nothing of HTTP or Twilio."""
