"""The embedded proctoring service."""
