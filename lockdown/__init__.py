"""Rules that keep the candidate in the exam, and give the machine back."""
