"""Floor 7, the command line: parse, call a service of `app`, print. No `if` about the domain lives here."""

from pipeline.cli.main import run

__all__ = ["run"]
