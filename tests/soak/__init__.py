"""What takes minutes: each part is a module with `run(seconds) -> list[Figure]`."""
