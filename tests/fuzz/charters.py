"""Charters, edits of them, and the TOML files a client and a node are set up by."""

from __future__ import annotations

from collections.abc import Iterator

from tallystick.core.charter import Charter
from tallystick.core.charter_chain import follow, read_version
from tallystick.core.charter_draft import changes, draft
from tallystick.core.charter_note import format_charter, parse_charter, sign_charter
from tallystick.core.evidence import actors_of
from tallystick.sdk.importers.xroad_map import parse_map
from tallystick.sdk.profile import Profile
from tallystick.sdk.rulebook import rulebook_of
from tallystick.sdk.toml_edit import with_values
from tallystick_node.config import Config, Settings
from tests.fuzz.proofs import CHARTER, MARKET
from tests.fuzz.target import Target, folder, tried
from tests.harness.ledger_maker import CHARTER_KEYS, charter_of, key_of, signed

SMALL = charter_of(MARKET)
_NOTE, _DIGEST = signed(SMALL)
VERSION = read_version(_NOTE)

# One file that is written over and over: what the parsers of files are given is a path.
_FILE = folder() / "settings.toml"


def charters(data: bytes) -> None:
    """A charter says the same when it is written again, and everything that is asked of one has an answer."""
    text = data.decode(errors="replace")
    charter = tried(parse_charter, text)
    if charter is not None:
        _check(charter)
        assert parse_charter(format_charter(charter)) == charter


def edits(data: bytes) -> None:
    """What edits make of a charter follows it, as everybody sees it who has the one before."""
    after = tried(draft, VERSION, data.decode(errors="replace"), SMALL.issued)
    if after is not None:
        changes(SMALL, parse_charter(after))
        note = sign_charter(after, [(name, key_of(name)) for name in CHARTER_KEYS])
        assert follow([VERSION], note).number == 2


def _check(charter: Charter) -> None:
    for bureau in charter.bureau:
        charter.witnesses_of(bureau)
        charter.followed_by(bureau)
        charter.quorum_of(bureau)
        bureau.label("zh")
        if not bureau.is_observer:
            actors_of(bureau)
            bureau.pinned  # noqa: B018, for what it raises
    charter.expired(0)
    rulebook = tried(rulebook_of, charter)
    if rulebook is not None:
        rulebook.unset()


def settings(data: bytes) -> None:
    """A profile, a node's settings and a map are read or refused, and written again they say the same."""
    _FILE.write_bytes(data)
    tried(Profile.load, _FILE)
    found = tried(Settings.load, _FILE)
    if found is not None:
        tried(found.open_charter)
        found.beside_data("2")
        tried(
            with_values, _FILE.read_text(encoding="utf-8"), {("", "charter"): "b", ("keys", "ledger"): "l"}, "settings"
        )
        _FILE.write_text(found.render(), encoding="utf-8")
        assert Settings.load(_FILE).config == found.config
    tried(parse_map, data, CHARTER)


def _charters() -> Iterator[bytes]:
    yield format_charter(SMALL).encode()
    yield format_charter(CHARTER).encode()
    yield f"{format_charter(SMALL)}\n{_RULEBOOK}".encode()


def _edits() -> Iterator[bytes]:
    yield _RULEBOOK.encode()
    yield (
        b"expires = 2028-11-01T00:00:00+08:00\nwitnessing = { quorum = 0, freshness = '5m' }\n"
        b'[[bureau]]\nid = "market-regulation"\nstate = "suspended"\nname = { zh = "x", en = "y" }\n'
    )


_RULEBOOK = """[rulebook]
time_zone = "Asia/Shanghai"
holidays = [2027-01-01]
working_days = [2027-02-20]
purposes = ["tax-registration"]
hollow_words = ["NA", "无"]
deadlines = { answer_request = 10, deemed_service = 2 }
[rulebook.thresholds]
late_record_hours = 72
night = { from = 22:00:00, until = 06:00:00 }
[rulebook.rule.request-overdue]
severity = "warning"
citation = { zh = "规定", en = "a rule" }
"""


def _settings() -> Iterator[bytes]:
    yield Settings(_FILE, Config("b1", _DIGEST)).render().encode()
    yield (
        f'charter = "charter.note"\ncharter_digest = "{_DIGEST}"\nbureau = "b1"\nstate = "state"\nlanguage = "zh"\n'
        '[identity]\nactor = "b1:clerk"\nkey = "keys/clerk.key"\n[registrar]\nkey = "keys/registrar.key"\n'
    ).encode()
    yield b'"DEV/COM/222/TESTCLIENT" = "b1"\n"DEV/COM/222" = "b2"\n'


TARGETS = (
    Target("charters", charters, _charters),
    Target("edits", edits, _edits),
    Target("settings", settings, _settings),
)
