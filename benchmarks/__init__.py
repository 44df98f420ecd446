"""What `make bench` measures: the agent's cost and start-up time, beside other programs doing the same work."""
