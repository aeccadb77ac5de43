"""Floor 3: retention. From rules, events, holds and the time to what is to be done with each incident.

Pure: refuses to know files, databases and clocks; the time is an argument.
"""
