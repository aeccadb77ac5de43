"""What a configuration file may say, and how a wrong one is refused."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest

from pipeline.config.marks import parse_yaml, read_yaml
from pipeline.core.errors import ConfigError


class Colour(StrEnum):
    RED = "red"
    OFF = "off"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3 a: is given twice, first on line 1; keep one"),
        ("x:\n  - {k: 1, k: 2}\n", "f.yaml:2 x[0].k: is given twice, first on line 2; keep one"),
        ("a: &b 1\n", "f.yaml:1: anchor &b is not allowed; write the value out where it is used"),
        ("a: !!python/name:os.system 1\n", "f.yaml:1: tag tag:yaml.org,2002:python/name:os.system is not allowed"),
        ("a: 1\n3: 2\n", "f.yaml:2: key 3 is not text; put it in quotes"),
        ("a:\n  no: 2\n", "f.yaml:2 a: key no is not text; put it in quotes"),
        ("- 1\n", "f.yaml:1: the file must be a mapping of keys to values"),
        ("a: [1\nb: 2\n", "f.yaml:2: not YAML: "),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: not YAML: but found another document"),
        ("a: \x01\n", "f.yaml:1: not YAML: "),
        ("a: " + "[" * 30 + "]" * 30, "f.yaml:1: nested deeper than 20 levels"),
    ],
)
def test_a_file_that_says_something_else_than_it_shows_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_yaml(text, "f.yaml")
    assert message in str(refusal.value)


def test_an_alias_bomb_is_refused_before_it_is_expanded() -> None:
    text = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    with pytest.raises(ConfigError, match="alias"):
        parse_yaml(text, "f.yaml")


def test_every_error_of_a_file_is_told_at_once_in_the_order_of_its_lines() -> None:
    s = parse_yaml("p: 1.4\nname: 1.0\nhow: blue\nwait: 10\nflag: yes\nlist: [a, 2]\nextra: 1\nnmae: x\n", "f.yaml")
    s.flag("flag")
    s.number("p", low=0, high=1, noun="a probability")
    s.text("name")
    s.choice("how", Colour)
    s.duration_ns("wait")
    s.texts("list")
    s.text("gone")
    s.close()
    with pytest.raises(ConfigError) as refusal:
        s.problems.refuse()
    assert list(refusal.value.problems) == [
        "f.yaml:1 p: 1.4 is not a probability in 0..1",
        "f.yaml:1 gone: is missing",
        "f.yaml:2 name: '1.0' is not text; YAML reads it as a number, so put it in quotes: \"1.0\"",
        "f.yaml:3 how: 'blue' is not one of red, off",
        "f.yaml:4 wait: '10' is not a duration; write a number and its unit: 500ms, 10s, 2m or 1h",
        "f.yaml:5 flag: write true or false, not yes",
        "f.yaml:6 list[1]: '2' is not text; YAML reads it as a number, so put it in quotes: \"2\"",
        "f.yaml:7 extra: unknown key; known: flag, gone, how, list, name, p, wait",
        "f.yaml:8 nmae: unknown key; did you mean name?",
    ]


def test_values_come_out_typed() -> None:
    s = parse_yaml("n: 3\nx: 0.5\nt: 1.5m\nhow: off\nin: {deep: [a, b]}\nall: [{k: v}]\nno_value:\n", "f.yaml")
    assert s.whole("n") == 3
    assert s.number("x") == 0.5
    assert s.duration_ns("t") == 90_000_000_000
    assert s.choice("how", Colour) is Colour.OFF
    assert s.section("in").texts("deep") == ("a", "b")
    assert [e.text("k") for e in s.sections("all")] == ["v"]
    assert s.is_null("no_value")
    assert s.text("absent", "default") == "default"
    assert s.leaves() == {"n": 1, "x": 2, "t": 3, "how": 4, "in.deep": 5, "all": 6, "no_value": 7}
    s.close()
    s.problems.refuse()


@pytest.mark.parametrize("written", [".inf", ".nan", "1:30", "true", "[1]", "'3'", "0x10"])
def test_what_is_not_plainly_a_number_is_no_number(written: str) -> None:
    s = parse_yaml(f"n: {written}\nm: {written}\n", "f.yaml")
    s.number("n")
    s.whole("m")
    assert len(s.problems) == 2


def test_an_empty_file_is_an_empty_mapping_and_a_missing_or_binary_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    assert read_yaml(tmp_path / "empty.yaml").keys() == ()
    with pytest.raises(ConfigError, match=r"gone.yaml: cannot be read \(No such file or directory\)"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"latin.yaml:2: not UTF-8 text"):
        read_yaml(tmp_path / "latin.yaml")
