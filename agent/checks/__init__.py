"""Check System: what can be captured and reached on this machine, and what to do where it cannot."""
