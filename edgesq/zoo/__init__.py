"""Stage `zoo`."""
