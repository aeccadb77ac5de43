"""Floor 6, the composition root: settings become services here, and nowhere else are implementations chosen."""
