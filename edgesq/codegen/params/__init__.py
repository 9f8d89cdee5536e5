"""The parameters of each operator as C data, a file per family of operators."""
