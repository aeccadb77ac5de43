"""(room: cli)"""


def run() -> None: ...
