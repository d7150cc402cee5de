"""An emulation of Twilio Proxy, a second and independent reading of its documents; never imports the client."""
