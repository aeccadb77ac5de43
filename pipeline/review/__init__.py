"""Floor 4: judging. A person's decision on an incident, and the words that say why it is still here or why it went."""
