"""The command's entry point."""

import sys


def main() -> None:
    """Run the `watchkeep` command."""
    try:
        from pipeline.cli import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
