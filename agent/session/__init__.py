"""The session: its machine, its journal and the effects it asks for."""
