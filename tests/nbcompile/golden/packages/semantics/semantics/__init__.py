"""The flow semantics."""
