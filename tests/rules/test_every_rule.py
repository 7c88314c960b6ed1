"""What holds for all rules: each has its file of tests here, and says the same in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import tallystick.audit.rules
from tallystick.audit.rule import RULES, Rule

assert tallystick.audit.rules  # importing them enters them
HERE = Path(__file__).parent


def facts(sentence: str) -> set[str]:
    """The names of the facts a sentence is filled with."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_rule_has_its_file_and_every_file_its_rule() -> None:
    """A rule that comes without tests, and tests whose rule went, show here."""
    files = {path.stem.removeprefix("test_").replace("_", "-") for path in HERE.glob("test_*.py")}
    assert files - {"every-rule"} == RULES.keys()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_the_same_in_both_languages(rule: Rule) -> None:
    """Both sentences are filled with the same facts, name who answers, and are each in one language."""
    assert facts(rule.en) == facts(rule.zh) >= {"bureau"}
    words_en, words_zh = (re.sub(r"\{\w+\}", "", sentence) for sentence in (rule.en, rule.zh))
    assert words_en.isascii() or set(re.findall(r"[^\x00-\x7f]", words_en)) <= set("“”")
    assert re.search(r"[\u4e00-\u9fff]", words_zh)
    assert not re.search(r"[A-Za-z]", words_zh)
    assert not words_zh.endswith("。")
    assert not words_en.endswith(".")
