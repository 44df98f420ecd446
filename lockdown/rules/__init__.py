"""Rules that are the same on every system, over what a system can read (lockdown/readings.py)."""
