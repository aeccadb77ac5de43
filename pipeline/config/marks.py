"""YAML files with line marks: the one door to yaml.

Refuses what makes a file say something else than it shows: duplicate keys, anchors and aliases, tags, merge keys, keys
that are not text, several documents. Knows nothing of what the keys mean: `Section` reads them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from pipeline.config.section import Problems, Section, did_you_mean
from pipeline.core.errors import ConfigError

__all__ = ["Problems", "Section", "did_you_mean", "parse_yaml", "read_digested", "read_text", "read_yaml"]

_MAX_DEPTH = 20
_MAX_BYTES = 8 << 20


def read_yaml(path: Path, *, problems: Problems | None = None, shown: str = "") -> Section:
    """The top mapping of the file at `path`, an empty one for an empty file.

    `problems` lets several files be refused together; `shown` is the name to print instead of the path. Raises
    ConfigError at once where the file cannot be read or is no plain YAML mapping; everything later goes to `problems`.
    """
    return read_digested(path, problems=problems, shown=shown)[0]


def read_digested(path: Path, *, problems: Problems | None = None, shown: str = "") -> tuple[Section, str]:
    """As `read_yaml`, with the sha256 of the very bytes that were parsed."""
    name = shown or str(path)
    raw = _read(path, name)
    return parse_yaml(_decoded(raw, name), name, problems), hashlib.sha256(raw).hexdigest()


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError where it cannot be read or is no UTF-8."""
    return _decoded(_read(path, str(path)), str(path))


def parse_yaml(text: str, name: str, problems: Problems | None = None) -> Section:
    """As `read_yaml`, of `text` that was read already; `name` is what messages call the file."""
    found = problems if problems is not None else Problems()
    early = Problems()
    try:
        _refuse_events(text, name, early)
        early.refuse()
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise ConfigError(f"{name}:{line}: not YAML: {e.problem}") from e
    except yaml.YAMLError as e:
        raise ConfigError(f"{name}:1: not YAML: {str(e).splitlines()[0]}") from e
    if root is None:
        return Section(name, "", None, found)
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{name}:1: the file must be a mapping of keys to values")
    _refuse_keys(root, name, "", early)
    early.refuse()
    return Section(name, "", root, found)


def _read(path: Path, name: str) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise ConfigError(f"{name}: cannot be read ({e.strerror}); check the path and its permissions") from e
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{name}: {len(raw)} bytes is no configuration file; at most {_MAX_BYTES} are read")
    return raw


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from e


def _refuse_events(text: str, name: str, problems: Problems) -> None:
    # Before composing: an alias can make a small file enormous, and deep nesting exhausts the composer's recursion.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            problems.add(name, line, "", f"alias *{event.anchor} is not allowed; write the value out")
            continue
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            problems.add(name, line, "", f"anchor &{event.anchor} is not allowed; write the value out where it is used")
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
            problems.add(name, line, "", f"tag {event.tag} is not allowed; write the plain value")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ConfigError(f"{name}:{line}: nested deeper than {_MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refuse_keys(node: yaml.Node, name: str, path: str, problems: Problems) -> None:
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _refuse_keys(item, name, f"{path}[{i}]", problems)
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    # YAML 1.1 takes a bare "on" for a truth value; as a key it can only be the word.
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not (key.tag.endswith(":str") or key.value == "on"):
            shown = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            problems.add(name, line, path, f"key {shown} is not text; put it in quotes")
            continue
        dotted = f"{path}.{key.value}" if path else key.value
        if key.value in first:
            problems.add(name, line, dotted, f"is given twice, first on line {first[key.value]}; keep one")
        first.setdefault(key.value, line)
        _refuse_keys(value, name, dotted, problems)
