"""What `import edgesq` offers: a build, its board, and what they say.

The command line is a thin layer over these modules. Their names are public as `edgesq` lists them.
Nothing is imported here, so that one of them loads no other's libraries.
"""
