"""The proctor channel, from the agent."""
