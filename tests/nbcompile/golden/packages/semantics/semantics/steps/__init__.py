"""The steps of semantics, one in each module."""
