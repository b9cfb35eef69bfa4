"""Values: how what a step makes becomes bytes, and comes back the same."""
