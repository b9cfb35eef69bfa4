"""Kubernetes: what the engine needs to know of it, in parts that are pure and parts that ask it."""
