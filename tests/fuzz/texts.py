"""Names and texts: what is a name is written again as it was read, and what is shown acts and hides nowhere."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator

from tallystick.audit.report.csv import cell
from tallystick.audit.report.drawing import fitted
from tallystick.audit.report.markup import h
from tallystick.core import identifiers
from tallystick.core.forms import FORMS
from tallystick.core.hashing import format_digest, parse_digest
from tallystick.core.safe_text import sanitise, sanitise_json
from tests.fuzz.target import Target, tried

_CHECKS: tuple[Callable[[str], object], ...] = (
    *(check for name, check in FORMS.items() if name != "moment"),
    identifiers.check_credit_code,
    identifiers.check_finding_id,
)


def texts(data: bytes) -> None:
    """A text is one thing or another by its form, and safe to show whatever it is."""
    text = data.decode(errors="surrogateescape")
    for check in _CHECKS:
        tried(check, text)
    reference = tried(identifiers.parse_entry_ref, text)
    assert reference is None or identifiers.format_entry_ref(reference.bureau, reference.index) == text
    version = tried(identifiers.parse_version_ref, text)
    assert version is None or identifiers.format_version_ref(*version) == text
    digest = tried(parse_digest, text)
    assert digest is None or format_digest(digest) == text
    _shown(text)


def _shown(text: str) -> None:
    safe = sanitise(text)
    assert sanitise(safe) == safe
    assert "\x1b" not in safe
    assert "\n" not in safe
    document = json.dumps({"said": text}, ensure_ascii=False)
    assert json.loads(sanitise_json(document)) == {"said": text}
    element = h("td", text, title=text)
    assert re.fullmatch(r'<td title="([^"<>]*)">([^<>]*)</td>', element)
    assert html.unescape(element[element.index(">") + 1 : -len("</td>")]) == safe
    assert len(fitted(text)) <= max(len(safe), 1)
    (row,) = csv.reader(io.StringIO(cell(text)), strict=True)
    assert row[0].replace("'", "") == safe.replace("'", "")


def _seeds() -> Iterator[bytes]:
    for text in (
        "taxation#1088",
        "SCJG-0012@2027-03",
        "taxation:o-7f3a",
        "pudong.example/market-regulation",
        "blake3:" + "0" * 64,
        "11310115000000019X",
        "F-3KQ0ZV8M1T5R",
        "2027-03-01",
        "R/P1Y2M3W4DT5H6M7.8S",
        "gb.21063-4",
        "=HYPERLINK(1)",
        " \t+1",
        "<script>alert('x')</script>&amp;",
        "\x1b]8;;x\x1b\\\u202e\u200b",
        "\u3164é" + "\u0301" * 40,
        "市场监督管理局 ควิก हिन्दी العربية עברית 👩‍👩‍👧",
    ):
        yield text.encode()


TARGETS = (Target("texts", texts, _seeds),)
