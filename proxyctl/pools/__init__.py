"""Pools: what a Service holds, what is wanted, and the changes between."""
