"""What `-h` and `help` show, all made from the command tree's own metadata."""
