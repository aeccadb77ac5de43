"""Floor 5: the settings tree, shipped files, parsers of policy, taxonomy and registry; the one door to yaml."""
