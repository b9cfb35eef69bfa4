"""Engines: where tasks run. Each is one module, found by the entry point `nbflow.engines`."""
