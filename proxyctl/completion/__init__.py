"""Shell completion. Apart from the command tree, and free of imports, because a TAB must not wait for Typer."""
