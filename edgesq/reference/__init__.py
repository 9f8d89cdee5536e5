"""Stage `reference`."""
