"""Stage `formats`."""
