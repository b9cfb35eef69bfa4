"""Flags: big differences between a run and those before it, found without any set-up."""
