"""Stage `link`: frames as pure bytes, the serial port, and a client that gets images through.

client (images, results) --> session (waits, numbers) --> frame (bytes) --> transport (port)

The bytes are in firmware/SPEC.md.
"""
