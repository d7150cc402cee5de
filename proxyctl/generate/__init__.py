"""Completions, man pages and help topics, all made from the command tree's own metadata."""
