"""`watchkeep demo`."""

from __future__ import annotations

from pipeline.app.demo import demo as run_demo
from pipeline.app.home import Home
from pipeline.cli.options import HomeOption, JsonOption
from pipeline.cli.out import plain, say, show_json
from pipeline.cli.progress import ScanMeter
from pipeline.cli.scan import show


def demo(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Fetch the models, scan the shipped sample recordings, and show what was found and where it lies."""
    place = Home.at(home)
    with ScanMeter() as meter:
        found = run_demo(place, progress=meter.tell, say=meter.say)
    if as_json:
        show_json(found.to_json())
        return
    show(found.report, place)
    for line in found.words:
        say(plain(line))
