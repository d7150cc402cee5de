"""Whole pools: seen, declared in a file, and kept."""
