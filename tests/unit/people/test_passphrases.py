"""What is kept of a passphrase, and which ones are taken."""

from __future__ import annotations

import pytest

from pipeline.core.errors import IntegrityError, WatchkeepError
from pipeline.people.passphrases import RFC_9106, Cost, Passphrases, check_passphrase
from tests.unit.people.conftest import CHEAP

WORDS = "a walk along the quay"


def test_what_is_kept_is_argon2id_as_rfc_9106_recommends() -> None:
    kept = Passphrases(RFC_9106).keep(WORDS)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    salt, tag = kept.split("$")[-2:]
    assert (len(salt), len(tag)) == (22, 43)  # 16 and 32 bytes in base64
    assert Passphrases(RFC_9106).matches(kept, WORDS)


def test_the_same_passphrase_is_kept_differently_each_time() -> None:
    cheap = Passphrases(CHEAP)
    assert cheap.keep(WORDS) != cheap.keep(WORDS)


def test_another_passphrase_does_not_match() -> None:
    cheap = Passphrases(CHEAP)
    kept = cheap.keep(WORDS)
    for other in (WORDS + " ", WORDS.upper(), "", WORDS[:-1], "x" * 5000):
        assert not cheap.matches(kept, other)


def test_the_same_characters_match_however_they_were_composed() -> None:
    cheap = Passphrases(CHEAP)
    assert cheap.matches(cheap.keep("un été à Besançon"), "un e\u0301te\u0301 a\u0300 Besanc\u0327on")


def test_what_is_no_hash_is_damage_and_not_a_wrong_passphrase() -> None:
    with pytest.raises(IntegrityError):
        Passphrases(CHEAP).matches("x", WORDS)


def test_a_passphrase_kept_at_another_cost_is_outdated_and_still_matches() -> None:
    kept = Passphrases(CHEAP).keep(WORDS)
    today = Passphrases(Cost(passes=2, memory_kib=8, lanes=1))
    assert today.matches(kept, WORDS)
    assert today.outdated(kept)
    assert not Passphrases(CHEAP).outdated(kept)


@pytest.mark.parametrize(
    ("passphrase", "why"),
    [
        ("fourteen chars", "fewer than 15"),
        ("x" * 1025, "more than 1024"),
        ("correct horse battery staple", "first"),
        ("Correct Horse Battery STAPLE", "first"),
        ("abababababababab", "first"),
        ("lena.k lena.k lena.k lena.k", "first"),
        ("a line\nbreak in it all", "control character"),
    ],
)
def test_a_bad_passphrase_is_refused_in_a_sentence_that_does_not_repeat_it(passphrase: str, why: str) -> None:
    with pytest.raises(WatchkeepError, match=why) as refused:
        check_passphrase(passphrase, "Lena.K")
    assert passphrase not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_passphrase_of_fifteen_characters_in_any_script_is_taken() -> None:
    for good in ("fifteen.. chars", "пятнадцать букв и ещё", "a" * 500 + "bcdef"):
        check_passphrase(good, "lena")
