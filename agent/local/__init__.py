"""The loopback API that the exam page talks to."""
