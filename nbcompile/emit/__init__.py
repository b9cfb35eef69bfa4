"""Emission: a flow as the source files of a package."""
