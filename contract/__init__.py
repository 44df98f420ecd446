"""What agent and service say to each other. Imports nothing but the standard library, msgspec and cryptography."""
