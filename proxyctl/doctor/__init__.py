"""What stands between a command and its response: checks of the setup, and how their findings are printed."""
