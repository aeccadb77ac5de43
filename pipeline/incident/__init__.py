"""Floor 2: decisions of a stream fold into incidents; pure."""
