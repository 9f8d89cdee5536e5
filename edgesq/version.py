"""The version of edgesq, apart from `edgesq` itself, which imports every room for its names."""

VERSION = "0.1.0"
