"""They look at pictures on the way and say what they see; they never hold anything up, and forbid nothing."""
