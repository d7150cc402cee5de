"""The two ways in: HTTP on loopback, with faults and limits on demand, and a transport in process."""
