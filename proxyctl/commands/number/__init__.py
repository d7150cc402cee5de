"""The numbers of pools: changed, moved, drained, listed, found."""
