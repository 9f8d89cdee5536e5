"""Damaged models and build folders: mutators, one module per kind, and workers that try them.

A kind is a module with

- `prepare(folder)`: load and make what its mutants share, in the folder of all workers;
- `write(number, folder)`: make a mutant, the same for a number whenever it is made;
- `attempt(number, path, kept)`: do with it what the commands do. That returns where the mutant is
  accepted, raises EdgesqError where it is refused, and anything else is a fault.
"""
