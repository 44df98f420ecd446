"""The virtual desk and the courses of a session that are played on it."""
