"""Floor 2: the policy as values, and what it makes of signals; pure functions."""
