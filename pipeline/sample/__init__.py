"""Floor 2: which frames and windows are looked at. Refuses to know files, codecs and models."""
