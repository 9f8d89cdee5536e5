"""Damaged models and build folders: mutators, one module per kind, and workers that try them.

A kind is a module with `prepare(folder)`, `write(number, folder)`, which makes mutant `number`, always
the same, and `attempt(number, path, kept)`, which does with it what the commands do. `attempt` returns
where the mutant is accepted, raises EdgesqError where it is refused, and anything else is a fault.
"""
