"""The candidate-side daemon."""
