"""A configuration mapping read key by key: typed values out, every problem kept with its file and line.

A wrong value is noted and replaced by a harmless one of its type so that reading goes on and all errors are seen at
once; nothing that was read may be used before `Problems.refuse` has passed. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

import yaml

from pipeline.core.errors import ConfigError
from pipeline.core.media import NS

E = TypeVar("E", bound=StrEnum)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)\Z")
_UNIT_NS = {"ms": NS // 1000, "s": NS, "m": 60 * NS, "h": 3600 * NS}
_KINDS = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing", "str": "text"}


class Problems:
    """Everything wrong with one or several files, in order of file and line."""

    def __init__(self) -> None:
        self._found: list[tuple[str, int, str]] = []

    def add(self, file: str, line: int, path: str, text: str) -> None:
        """Note `text` (what is wrong and what would be right) at `file:line path`."""
        where = f"{file}:{line} {path}: " if path else f"{file}:{line}: "
        self._found.append((file, line, where + text))

    def __len__(self) -> int:
        return len(self._found)

    def refuse(self) -> None:
        """Raise ConfigError with all problems; return if there is none."""
        if self._found:
            raise ConfigError(tuple(dict.fromkeys(text for _, _, text in sorted(self._found, key=lambda p: p[:2]))))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a mistyped `name`: the closest known one, or all of them if they are few."""
    names = sorted(set(known))
    begun = [n for n in names if name and n.startswith(name)]
    if close := begun[:1] or difflib.get_close_matches(name, names, n=1):
        return f"did you mean {close[0]}?"
    return "known: " + ", ".join(names) if 0 < len(names) <= 30 else "there is nothing like it"


class Section:
    """One mapping of a file. `path` is its dotted place ("" at the top), `line` counts from 1.

    Each reader takes the key's value; a `default` of None means the key is required. `close` refuses what was not read.
    """

    def __init__(self, file: str, path: str, node: yaml.MappingNode | None, problems: Problems, line: int = 0) -> None:
        self.file = file
        self.path = path
        self.line = line or (node.start_mark.line + 1 if node else 1)
        self.problems = problems
        self._nodes: dict[str, tuple[yaml.Node, yaml.Node]] = {k.value: (k, v) for k, v in (node.value if node else ())}
        self._known: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._known.add(key)
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        """All keys, in the order of the file."""
        return iter(self._nodes)

    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the file."""
        return tuple(self._nodes)

    @property
    def empty(self) -> bool:
        """True if nothing is written here."""
        return not self._nodes

    def dotted(self, key: str) -> str:
        """The full path of `key`."""
        return f"{self.path}.{key}" if self.path else key

    def line_of(self, key: str) -> int:
        """The line of `key`, or of the section where the key is absent."""
        return self._nodes[key][0].start_mark.line + 1 if key in self._nodes else self.line

    def problem(self, key: str, text: str) -> None:
        """Note that `key` is wrong: for rules that reach beyond one value."""
        self.problems.add(self.file, self.line_of(key), self.dotted(key) if key else self.path, text)

    def text(self, key: str, default: str | None = None, *, known: Iterable[str] | None = None) -> str:
        """Non-empty text; one of `known` if that is given."""
        node = self._scalar(key, default, ("str",), "text")
        if node is None:
            return default or ""
        if not node.value.strip():
            self.problem(key, "is empty, write some text")
        elif known is not None and node.value not in (names := tuple(known)):
            self.problem(key, f"{node.value!r} is not known; {did_you_mean(node.value, names)}")
        return str(node.value)

    def choice(self, key: str, choices: type[E], default: E | None = None) -> E:
        """A member of an enumeration, by its value."""
        fallback = default if default is not None else next(iter(choices))
        node = self._scalar(key, default, ("str", "int", "bool"), "one of " + ", ".join(choices))
        if node is None:
            return fallback
        if node.value not in tuple(choices):
            self.problem(key, f"{node.value!r} is not one of {', '.join(choices)}")
            return fallback
        return choices(node.value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false, spelled so."""
        node = self._scalar(key, default, ("bool",), "true or false")
        if node is None:
            return bool(default)
        if node.value not in ("true", "false"):
            self.problem(key, f"write true or false, not {node.value}")
        return bool(node.value == "true")

    def number(
        self, key: str, default: float | None = None, *, low: float = -math.inf, high: float = math.inf, noun: str = ""
    ) -> float:
        """A finite number in low..high; `noun` names what it should be, as in "1.4 is not a probability"."""
        node = self._scalar(key, default, ("int", "float"), noun or "a number")
        if node is None:
            return default if default is not None else 0.0
        value = _float(node.value)
        if value is None or not low <= value <= high:
            self.problem(key, f"{node.value} is not {noun or 'a number'}{_range(low, high)}")
            return default if default is not None else 0.0
        return value

    def whole(self, key: str, default: int | None = None, *, low: float = -math.inf, high: float = math.inf) -> int:
        """A whole number in low..high."""
        node = self._scalar(key, default, ("int", "float"), "a whole number")
        if node is None:
            return default or 0
        value = _int(node.value)
        if value is None or not low <= value <= high:
            self.problem(key, f"{node.value} is not a whole number{_range(low, high)}")
            return default or 0
        return value

    def duration_ns(self, key: str, default: str | None = None) -> int:
        """A stretch of time with its unit ("500ms", "10s", "2m", "1h"), in nanoseconds."""
        node = self._scalar(key, default, ("str", "int", "float"), "a duration such as 10s")
        text = default or "0s" if node is None else node.value
        if found := _DURATION.match(text):
            return round(float(found[1]) * _UNIT_NS[found[2]])
        self.problem(key, f"{text!r} is not a duration; write a number and its unit: 500ms, 10s, 2m or 1h")
        return 0

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of non-empty texts."""
        found = []
        for i, node in enumerate(self._items(key, default)):
            if isinstance(node, yaml.ScalarNode) and _kind(node) == "str" and node.value.strip():
                found.append(node.value)
            else:
                self._note(node, f"{self.dotted(key)}[{i}]", f"{_shown(node)} is not text; {_hint(node)}")
        return tuple(found) if key in self._nodes else default or ()

    def section(self, key: str, *, required: bool = False) -> Section:
        """The mapping under `key`; an empty one where the key is absent."""
        node = self._take(key, None if required else ())
        if node is None or isinstance(node, yaml.MappingNode):
            return Section(self.file, self.dotted(key), node, self.problems, self.line_of(key))
        if not (isinstance(node, yaml.ScalarNode) and _kind(node) == "null"):
            self.problem(key, f"{_shown(node)} is not a mapping of keys to values")
        return Section(self.file, self.dotted(key), None, self.problems, self.line_of(key))

    def sections(self, key: str, *, required: bool = False) -> list[Section]:
        """A list of mappings."""
        found = []
        for i, node in enumerate(self._items(key, None if required else ())):
            path = f"{self.dotted(key)}[{i}]"
            if isinstance(node, yaml.MappingNode):
                found.append(Section(self.file, path, node, self.problems))
            else:
                self._note(node, path, f"{_shown(node)} is not a mapping of keys to values")
        return found

    def is_null(self, key: str) -> bool:
        """True if the key is there and says null (or nothing)."""
        pair = self._nodes.get(key)
        self._known.add(key)
        return pair is not None and isinstance(pair[1], yaml.ScalarNode) and _kind(pair[1]) == "null"

    def leaves(self) -> dict[str, int]:
        """Dotted path -> line of everything in this section that is not itself a mapping."""
        found: dict[str, int] = {}
        for key, (name, node) in self._nodes.items():
            if isinstance(node, yaml.MappingNode):
                found |= Section(self.file, self.dotted(key), node, self.problems).leaves()
            else:
                found[self.dotted(key)] = name.start_mark.line + 1
        return found

    def close(self) -> None:
        """Refuse every key that no reader asked for."""
        for key in self._nodes:
            if key not in self._known:
                self.problem(key, f"unknown key; {did_you_mean(key, self._known)}")

    def _take(self, key: str, default: object) -> yaml.Node | None:
        self._known.add(key)
        if key in self._nodes:
            return self._nodes[key][1]
        if default is None:
            self.problems.add(self.file, self.line, self.dotted(key), "is missing")
        return None

    def _scalar(self, key: str, default: object, kinds: tuple[str, ...], right: str) -> yaml.ScalarNode | None:
        node = self._take(key, default)
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and _kind(node) in kinds:
            return node
        hint = _hint(node) if kinds == ("str",) else f"write {right}"
        self.problem(key, f"{_shown(node)} is not {right}; {hint}")
        return None

    def _items(self, key: str, default: object) -> list[yaml.Node]:
        node = self._take(key, default)
        if node is None:
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.problem(key, f"{_shown(node)} is not a list")
        return []

    def _note(self, node: yaml.Node, path: str, text: str) -> None:
        self.problems.add(self.file, node.start_mark.line + 1, path, text)


def _kind(node: yaml.ScalarNode) -> str:
    return str(node.tag).rpartition(":")[2]


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return "nothing" if _kind(node) == "null" else repr(node.value)
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def _hint(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode) and _kind(node) not in ("str", "null"):
        return f'YAML reads it as {_KINDS.get(_kind(node), "a date")}, so put it in quotes: "{node.value}"'
    return "write some text"


def _int(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    if math.isinf(high):
        return f" of at least {low:g}"
    return f" in {low:g}..{high:g}" if not math.isinf(low) else f" of at most {high:g}"
