"""Client: runs, steps, tasks and their values as Python objects, to analyse what came out."""
