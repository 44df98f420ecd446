"""Windows, over a thin layer of its API."""
