"""Runtime: from a compiled flow to a finished run, whatever engine its tasks run on."""
