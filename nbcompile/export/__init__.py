"""Exporters: a package written out in the form that some other tool takes."""
