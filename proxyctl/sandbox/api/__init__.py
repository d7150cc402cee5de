"""What each resource of the emulated API does, apart from HTTP."""
