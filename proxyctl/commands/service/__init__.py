"""Services: create, list, show, update, delete."""
