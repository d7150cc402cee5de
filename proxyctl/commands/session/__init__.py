"""Sessions: list, show, create, update, close, delete."""
