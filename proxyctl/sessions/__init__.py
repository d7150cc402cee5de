"""Sessions: which there are, who is in them, when each ends, and what is to be done with them."""
