"""One module a command group: parse, call, show."""
