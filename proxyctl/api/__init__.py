"""The thin HTTP layer over the Proxy API, Messaging Services and the account's numbers."""
