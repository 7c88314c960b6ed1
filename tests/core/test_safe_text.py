"""Text of others on a terminal: nothing in it may command or deceive."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.safe_text import MARKS_MAX, sanitise, sanitise_json

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
BLANKS = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"
# Format characters that are seen, or change what is.
SHAPING = set(
    "\u200c\u200d\u180e\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
LANGUAGES = {
    "Arabic": "الْعَرَبِيَّةُ، رقم ١٢٣ و\u0600١٢",
    "Bengali": "ক্ষমা র\u200d্যাব",
    "Burmese": "ကျွန်ုပ်တို့၏ တင်္ဂါးနွေ",
    "Chinese": "浦东新区市场监督管理局（二〇二七年）㐀",
    "Danish": "Rødgrød med fløde",
    "Estonian": "Maksu- ja Tolliamet, õ ä ö ü",
    "Georgian": "საქართველო",
    "German": "Größe, Übermaß",
    "Greek": "Ἐν ἀρχῇ ἦν ὁ λόγος",
    "Hebrew": "בְּרֵאשִׁ֖ית בָּרָ֣א",
    "Hindi": "क्ष श्री हिन्दी क\u094d\u200dष",
    "Japanese": "葛城市 が ガ ヷ 々",
    "Khmer": "ភាសាខ្មែរ",
    "Korean": "한국어 ㄱ",
    "Malayalam": "മലയാളം ന\u0d4d\u200d",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠌ ᠠᠮ\u180eᠠ",
    "Persian": "می\u200cخواهم نامه\u200cها",
    "Russian": "ёлка, й",
    "Sinhala": "ශ\u0dca\u200dරී ලංකා",
    "Tamil": "தமிழ் மொழி",
    "Thai": "ที่นี่ น้ำ",
    "Tibetan": "ཨོཾ་མ་ཎི་པདྨེ་ཧཱུྃ ཀྵྨླྺྲྱཱི",
    "Urdu": "اُردُو ہے",
    "Uyghur": "ئۇيغۇرچە",
    "Vietnamese": "Tiếng Việt, Nguyễn Đường",
    "Yiddish": "ייִדיש",
}


@given(st.text(st.characters()))
def test_nothing_that_commands_or_hides_is_left(text: str) -> None:
    """Whatever comes in, no control, surrogate, private, unassigned or line-end character comes out, and of format
    characters those alone that are seen or change what is."""
    assert not [c for c in sanitise(text) if unicodedata.category(c) in HIDDEN and c not in SHAPING]


@given(st.text(st.characters(exclude_categories=(*HIDDEN, "M"), exclude_characters=BLANKS)))  # type: ignore[arg-type]
def test_what_is_seen_stays(text: str) -> None:
    """Letters, digits, signs and spaces of every script are shown as they are."""
    assert sanitise(text) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_be_read(language: str) -> None:
    """What people write, with its marks, joiners and selectors, is shown letter for letter; decomposed too."""
    text = LANGUAGES[language]
    assert sanitise(text) == text
    assert sanitise(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFD", text)


@given(st.text(st.sampled_from(["a", "é", "\u0301", "\u0489", "\u20dd", " ", "1", "\u0f39", "\n", "-", "字"])))
def test_marks_stay_on_their_letter(text: str) -> None:
    """No more than so many marks follow a letter, and none stands where it would change what was printed before it."""
    safe = sanitise(text)
    runs = re.findall(r"(^|.)([\u0301\u0489\u20dd\u0f39]+)", safe, re.DOTALL)
    assert all(base.isalnum() and len(marks) <= MARKS_MAX for base, marks in runs)


@given(
    st.text(st.characters()) | st.text(st.sampled_from("\u200c\u200d\u094d\u0915\u0628\u0627\u180b\u1820\u0301a1\\"))
)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    """Made safe twice is made safe once."""
    assert sanitise(sanitise(text)) == sanitise(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("two\nlines\tand", "two\\nlines\\tand"),
        ("\x9b2J", "\\x9b2J"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half \udc80", "half \\udc80"),
        ("a\u3164b", "a\\u3164b"),
        ("a\uffa0b\u115f\u1160", "a\\uffa0b\\u115f\\u1160"),
        ("blank\u2800", "blank\\u2800"),
        ("a\ufe0fb\u034f", "a\\ufe0fb\\u034f"),
        ("葛\U000e0100城", "葛\\U000e0100城"),
        ("a\u200db\u200cc", "a\\u200db\\u200cc"),
        ("\u0627\u200c\u0628", "\u0627\\u200c\u0628"),
        ("\u0338=", "\\u0338="),
        ("a \u0338b", "a \\u0338b"),
        ("Z" + "\u0351" * 10, "Z" + "\u0351" * 8 + "\\u0351" * 2),
        ("市场监管局", "市场监管局"),
    ],
)
def test_what_is_escaped_can_be_seen(text: str, shown: str) -> None:
    """An escape names the character."""
    assert sanitise(text) == shown


@given(st.text(st.characters()))
def test_json_means_the_same_and_hides_nothing(text: str) -> None:
    """A document read back is what was written, and holds no character that commands or hides."""
    document = sanitise_json(json.dumps({"said": text}, ensure_ascii=False, indent=2))
    assert json.loads(document) == {"said": text}
    assert not [c for c in document if unicodedata.category(c) in HIDDEN and c not in SHAPING and c != "\n"]
