"""Stage `link`."""
