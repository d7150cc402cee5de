"""What a command is given to work on: arguments and files become items, or an error naming each bad row."""
