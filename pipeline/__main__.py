"""The command's entry point."""


def main() -> None:
    """Run the `watchkeep` command."""
    from pipeline.cli import run

    run()


if __name__ == "__main__":
    main()
