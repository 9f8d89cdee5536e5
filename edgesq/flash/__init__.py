"""Stage `flash`."""
