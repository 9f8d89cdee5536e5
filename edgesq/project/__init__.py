"""Stage `project`."""
