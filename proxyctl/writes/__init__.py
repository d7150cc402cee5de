"""How anything is changed: requests in chains, the places that they need, and what their answers mean.

Knows no pool and no Session: those decide what a plan holds.
"""
