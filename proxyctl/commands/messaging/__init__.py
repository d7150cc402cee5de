"""The Messaging Service of a pool: checked, and filled."""
