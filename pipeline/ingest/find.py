"""From names on a command line to a list of files. Names are data: none is parsed, printed raw or left out.

Refuses to know which of them are media: `probe` does.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from pipeline.core.errors import SourceError


def find(paths: Sequence[str]) -> list[str]:
    """Files as given, and every entry (hidden ones, fifos, links, ...) of the folders given, at any depth.

    A link that is named itself is followed to what it names; a link inside a folder is returned as it is, and so is a
    folder that cannot be listed: `probe` names both. Each name comes once; a folder's are in order of their bytes.
    Raises SourceError, before anything is read, for a name that is not there.
    """
    return list(dict.fromkeys(found for path in paths for found in _under(path)))


def _under(path: str) -> list[str]:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            path = os.path.realpath(path, strict=True)
            mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"{path!r} cannot be read ({reason}): check the name") from None
    return sorted(_walk(path), key=os.fsencode) if stat.S_ISDIR(mode) else [path]


def _walk(top: str) -> Iterator[str]:
    # A stack of our own: folders nested beyond Python's recursion limit are no reason to stop.
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        yield entry.path
        except OSError:
            yield folder
