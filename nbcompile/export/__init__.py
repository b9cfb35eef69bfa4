"""Exporters: a package written out in the form that some other tool takes.

Each is a function of a package and a folder, found by the entry point `nbflow.exporters`; where it
returns a text, that says what to do next.
"""
