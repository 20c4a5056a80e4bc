"""Facts, what follows from them, and messages to people."""
