"""Linux: X11 for real, Wayland as far as a compositor allows."""
