"""Stage `verify`."""
