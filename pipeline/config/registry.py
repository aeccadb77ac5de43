"""The model registry: models/registry.yaml, and the operator's own file over it.

Turns text into `ModelEntry` values and knows of no model by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pipeline.config.marks import Problems, Section, read_yaml
from pipeline.score.convert import CONVERSIONS
from pipeline.score.entry import (
    Activation,
    Address,
    Carrier,
    Colour,
    Conversion,
    Interpolation,
    LabelMap,
    Layout,
    Member,
    ModelEntry,
    Output,
    PictureInput,
    Probe,
    Resize,
    SoundInput,
    Task,
)
from pipeline.score.features import FEATURE_SHAPES

T = TypeVar("T")


def load_registry(*paths: Path) -> Mapping[str, ModelEntry]:
    """The entries of all files by name; a later file's entry replaces an earlier one's whole.

    Raises ConfigError with every problem of every file. Paths in an entry are relative to its own file's folder.
    """
    problems = Problems()
    entries: dict[str, ModelEntry] = {}
    for path in paths:
        top = read_yaml(path, problems=problems)
        models = top.section("models", required=True)
        for name in models.keys():  # noqa: SIM118  # a Section, no dict
            entry = _entry(name, models.section(name), path.resolve().parent)
            if entry is not None:
                entries[name] = entry
        top.close()
    problems.refuse()
    return entries


def _entry(name: str, section: Section, folder: Path) -> ModelEntry | None:
    before = len(section.problems)
    task = section.choice("task", Task)
    version = section.text("version")
    source, model = _source(section, folder)
    conversion = _conversion(section.section("conversion")) if "conversion" in section else None
    picture_or_sound = (_picture if task is Task.FRAMES else _sound)(section.section("input", required=True))
    output = _output(section.section("output", required=True))
    labels = _labels(section)
    probes = [_probe(probe) for probe in section.sections("probes")]
    licence, remark = section.text("licence"), section.text("remark", "") if "remark" in section else ""
    notice = _notice(section, folder)
    section.close()
    if source is None or model is None or picture_or_sound is None or output is None or labels is None:
        return None
    return _born(
        section,
        before,
        lambda: ModelEntry(
            name=name,
            version=version,
            task=task,
            source=source,
            model=model,
            conversion=conversion,
            input=picture_or_sound,
            output=output,
            labels=labels,
            probes=tuple(probe for probe in probes if probe is not None),
            licence=licence,
            remark=remark,
            notice=notice,
        ),
    )


def _born(section: Section, before: int, make: Callable[[], T]) -> T | None:
    """What `make` makes; a refusal at birth becomes a problem, unless what was read had problems already."""
    try:
        return make()
    except ValueError as e:
        if len(section.problems) == before:
            section.problem("", str(e))
        return None


def _source(section: Section, folder: Path) -> tuple[Carrier | Address | None, Member | None]:
    given = section.section("source", required=True)
    before = len(section.problems)
    source: Carrier | Address | None
    if "package" in given:
        package, version, sha256 = given.text("package"), given.text("version"), given.text("sha256")
        source = _born(given, before, lambda: Carrier(package=package, version=version, sha256=sha256))
    elif "url" in given:
        url = given.text("url")
        source = _born(given, before, lambda: Address(location=url))
    elif "path" in given:
        path = (folder / Path(given.text("path")).expanduser()).resolve()
        source = _born(given, before, lambda: Address(location=str(path)))
    else:
        given.problem("", "names no source; give a package (with version and sha256), a url or a path")
        source = None
    given.close()
    return source, _member(section.section("model", required=True), packed=isinstance(source, Carrier))


def _member(section: Section, *, packed: bool) -> Member | None:
    before = len(section.problems)
    path = section.text("path") if packed else ""
    size = section.whole("bytes", low=1) if packed or "bytes" in section else None
    sha256 = section.text("sha256")
    section.close()
    return _born(section, before, lambda: Member(path=path, size=size, sha256=sha256))


def _conversion(section: Section) -> Conversion | None:
    before = len(section.problems)
    name, sha256 = section.text("name", known=CONVERSIONS), section.text("sha256")
    versions = section.section("tools", required=True)
    tools = {tool: versions.text(tool) for tool in versions.keys()}  # noqa: SIM118  # a Section, no dict
    section.close()
    return _born(section, before, lambda: Conversion(name=name, sha256=sha256, tools=tools))


def _picture(section: Section) -> PictureInput | None:
    before = len(section.problems)
    tensor, side, resize_to = section.text("tensor"), section.whole("side", low=1), section.whole("resize_to", low=1)
    layout, colour = section.choice("layout", Layout), section.choice("colour", Colour)
    resize, interpolation = section.choice("resize", Resize), section.choice("interpolation", Interpolation)
    mean, std = _colours(section, "mean"), _colours(section, "std")
    section.close()
    return _born(
        section,
        before,
        lambda: PictureInput(
            tensor=tensor,
            side=side,
            layout=layout,
            colour=colour,
            resize=resize,
            resize_to=resize_to,
            interpolation=interpolation,
            mean=mean,
            std=std,
        ),
    )


def _colours(section: Section, key: str) -> tuple[float, float, float]:
    colours = section.section(key, required=True)
    red, green, blue = colours.number("red"), colours.number("green"), colours.number("blue")
    colours.close()
    return red, green, blue


def _sound(section: Section) -> SoundInput | None:
    before = len(section.problems)
    tensor, features = section.text("tensor"), section.text("features", known=FEATURE_SHAPES)
    rate_hz, window_samples = section.whole("rate_hz", low=1), section.whole("window_samples", low=1)
    section.close()
    return _born(
        section,
        before,
        lambda: SoundInput(tensor=tensor, features=features, rate_hz=rate_hz, window_samples=window_samples),
    )


def _output(section: Section) -> Output:
    output = Output(tensor=section.text("tensor"), activation=section.choice("activation", Activation))
    section.close()
    return output


def _labels(section: Section) -> tuple[str, ...] | LabelMap | None:
    if "label_map" not in section:
        return section.texts("labels")
    given = section.section("label_map")
    column = given.text("column")
    member = _member(given, packed=True)
    return LabelMap(member=member, column=column) if member else None


def _probe(section: Section) -> Probe | None:
    before = len(section.problems)
    name, atol = section.text("input"), section.number("atol", low=0)
    values = section.section("expected", required=True)
    labels = values.keys()
    expected = {label: values.number(label, low=0, high=1, noun="a probability") for label in labels}
    section.close()
    return _born(section, before, lambda: Probe(input=name, expected=expected, atol=atol))


def _notice(section: Section, folder: Path) -> Path | None:
    if "notice" not in section:
        return None
    notice = folder / section.text("notice")
    if not notice.is_file():
        section.problem("notice", f"there is no file {notice}")
    return notice
