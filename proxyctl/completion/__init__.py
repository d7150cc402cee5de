"""Shell completion: the names that commands see go by, and how the three shells ask and are answered."""
