"""Environments that steps run in beside the flow's own: locked, built once a machine, kept."""
