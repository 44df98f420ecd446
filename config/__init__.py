"""Settings of the agent: one table, where each value came from, and the paths."""
