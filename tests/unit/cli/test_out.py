"""What is printed for people: names are data, times are readable, a table fits a terminal."""

import errno
import io

import pytest
from rich.console import Console

from pipeline.cli import out


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("bad\udcff.mp4", "bad\\xff.mp4"),
        ("日本語 =cmd'\".mp4", "日本語 =cmd'\".mp4"),
    ],
)
def test_a_file_name_cannot_steer_the_terminal(name: str, shown: str) -> None:
    assert out.plain(name) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.0"), (3.36, "0:03.4"), (59.96, "1:00.0"), (699.4, "11:39.4"), (3725.4, "1:02:05.4")],
)
def test_media_time_reads_like_a_player_shows_it(seconds: float, shown: str) -> None:
    assert out.clock(seconds) == shown


def test_moments_are_shown_to_the_second_and_unknown_stays_unknown() -> None:
    assert out.moment("2026-11-22T13:12:20.262824Z") == "2026-11-22 13:12:20Z"
    assert out.moment("unknown") == "unknown"


def test_what_the_machine_refuses_names_the_place_and_what_to_do() -> None:
    assert str(out.unusable(OSError(errno.ENOSPC, "No space left on device", "/x/y"))) == (
        "/x/y: no space left on device; make room, and give the same command again"
    )
    assert str(out.unusable(PermissionError(errno.EACCES, "Permission denied", "/x"))).startswith(
        "/x: permission denied"
    )
    assert str(out.unusable(OSError("odd"))) == "this machine: odd; look at it, and try again"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system=None, width=80, soft_wrap=True, highlight=False)
    monkeypatch.setattr(out, "stdout", console)
    return file


def test_columns_line_up_under_wide_characters_and_only_the_last_one_is_long(terminal: io.StringIO) -> None:
    out.table(("name", "n", "path"), [("日本", 1, "x" * 100), ("ab", 22, "y")])
    assert terminal.getvalue().splitlines() == ["name  n   path", "日本  1   " + "x" * 100, "ab    22  y"]


def test_what_is_to_be_said_of_a_row_stands_below_it_on_a_terminal(terminal: io.StringIO) -> None:
    out.table(("outcome", "path"), [("partial", "a", "cut off"), ("scanned", "b", "")], under=("reason",))
    assert terminal.getvalue().splitlines() == ["outcome  path", "partial  a", "    cut off", "scanned  b"]


def test_elsewhere_a_table_is_lines_of_tabs_with_all_columns(capsys: pytest.CaptureFixture[str]) -> None:
    out.table(("outcome", "path"), [("partial", "a\tb", "cut off")], under=("reason",))
    assert capsys.readouterr().out == "outcome\tpath\treason\npartial\ta\\tb\tcut off\n"
