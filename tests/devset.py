"""Where the development set lies; tests that need it skip with a reason where it is absent."""

from pathlib import Path

import pytest

DEVSET = Path(__file__).resolve().parents[2] / "shared" / "devset"


def devset(*parts: str) -> Path:
    """A file or folder of the development set, or skip."""
    path = DEVSET.joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"the development set has no {'/'.join(parts)} here (it lies beside the checkout, in shared/devset)"
        )
    return path
