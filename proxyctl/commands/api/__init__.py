"""Any other request."""
