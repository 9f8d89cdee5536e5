"""Stage `codegen`."""
