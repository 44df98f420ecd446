"""macOS, over a thin layer of pyobjc. Not yet run on a Mac."""
