"""The progress line: how far, how fast, how long still; short enough for a terminal."""

from pipeline.cli.progress import done, words
from pipeline.runtime.job import Progress


def _at(**changed: float) -> Progress:
    at = {"recordings": 4, "finished": 1, "media_s": 3600.0, "known_s": 7200.0, "flagged": 2, "wall_s": 60.0}
    return Progress(**{**at, **changed})  # type: ignore[arg-type]  # counts are whole


def test_the_line_has_recordings_hours_speed_flagged_and_time_left() -> None:
    assert words(_at()) == "1/4 recordings, 1.00 h, 60x real time, 2 flagged, 60 s left"
    assert words(_at(known_s=36_000)) == "1/4 recordings, 1.00 h, 60x real time, 2 flagged, 9 min left"


def test_at_the_start_nothing_is_divided_by_nothing_and_nothing_is_promised() -> None:
    assert words(_at(finished=0, media_s=0, known_s=0, wall_s=0)) == "0/4 recordings, 0.00 h, 0x real time, 2 flagged"


def test_the_line_of_a_large_archive_fits_a_terminal() -> None:
    assert (
        len(words(_at(recordings=500_000, finished=123_456, media_s=3.6e7, known_s=9e8, flagged=9999, wall_s=9e4)))
        <= 80
    )


def test_a_single_long_recording_moves_the_bar_and_never_beyond_its_end() -> None:
    assert done(_at(recordings=1, finished=0)) == 0.5
    assert done(_at(recordings=1, finished=0, media_s=9000)) == 1.0
    assert done(_at(recordings=4, finished=4, media_s=7200)) == 4.0
