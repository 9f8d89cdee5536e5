"""What tests share: networks, runners of C, pretended boards and tools, fixtures."""
