"""What is said of bad input: one line that names what is wrong, and the exit code of whose fault it is.

A table of command lines, by hand. What is wrong with the call itself is 2, and is found out before anybody is asked: so
each line is said the same whether the node answers or not.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.cli import main as tally_main
from tallystick.cli.main import tally as tally_command
from tallystick.core.errors import FAULT
from tallystick.sdk.arguments import TEXT
from tallystick.sdk.clock import now_us
from tallystick.sdk.key_file import save_private
from tallystick_node import cli as tallyd_main
from tallystick_node.cluster.local import LocalCluster
from tests.cli.conftest import Tally
from tests.harness.office import Office

PLANNING = "planning"
LONG = "x" * 5_000
NO_TEXT = "half \udcff"
OPEN = ("--title", "t", "--scheme", "local", "--sharing", "unconditional")
ID = "01a21113-f859-7f0a-9ca0-b0ff1e9066c5"

# Exit code, words of the line, command line. MISSING, FOLDER, RUBBISH, EMPTY and DATA are files.
LINES: list[tuple[int, str, tuple[str, ...]]] = [
    # What names something and has another form.
    (2, "'NAME': '' is not a resource code", ("who", "")),
    (2, "'@@@' is not a version reference; expected <resource code>@<version>", ("who", "@@@")),
    (2, "'CODE': 'A@1' is not a resource code", ("access", "A@1")),
    (2, "'CODE@VERSION': '@@@' is not a version reference", ("impact", "@@@")),
    (2, "'CODE@VERSION': 'A' is not a version reference", ("trace", "A")),
    (2, "'ID': it is empty", ("case", "")),
    (2, "'REF': 'planning' is not an entry reference", ("show", "planning")),
    (2, "'[BUREAU]': 'A B' is not a bureau id", ("log", "A B")),
    (2, "'[BUREAU]': '' is not a bureau id", ("owed", "")),
    (2, "'[BUREAU|REF]': '@' is not a bureau id", ("shown", "@")),
    (2, "'--officer': 'nosuch' is not an actor", ("lookups", "--officer", "nosuch")),
    (2, "--hours: '9' are no hours", ("lookups", "--hours", "9")),
    (2, "--to: ", ("shown", "--to", "No One")),
    (2, "'--exchange': it is empty", ("reconcile", "--exchange", "")),
    (2, "'--from': '' is not a bureau id", ("audit", "--from", "")),
    (2, "there is no rule 'nosuch'", ("audit", "--rule", "nosuch")),
    (2, "--on: 'someday' is no day", ("who", "A", "--on", "someday")),
    (2, "--since: 'someday' is no day", ("audit", "--since", "someday")),
    (2, "--since: 'someday' is no time", ("log", "--since", "someday")),
    (2, "'--resource': 'A@1' is not a resource code", ("log", "--resource", "A@1")),
    (2, "'--version': 'A' is not a version reference", ("log", "--version", "A")),
    (2, "'--case': it is empty", ("log", "--case", "")),
    (2, "'--system': '' is not a label", ("log", "--system", "")),
    (2, "--submission: '7' is no submission id", ("log", "--submission", "7")),
    (2, "'--disclose': 'title' holds no commitment; expected", ("show", "planning#1", "--disclose", "title")),
    (2, "'FIELD': 'title' holds no commitment", ("erase", "planning#1", "title", "--reason", "r")),
    (2, "'A B' is not a bureau id", ("report", "-o", "-", "--form", "bureau", "A B")),
    (2, "'F-1' is not a finding", ("report", "-o", "-", "--form", "worksheet", "F-1")),
    (2, "'--actor': '../../x' is no actor's name", ("identity", "init", "--actor", "../../x")),
    (2, "'ACTOR': 'clerk' is not an actor", ("identity", "revoke", "clerk")),
    (2, "'--key': '7' is no public key; expected 64 hex digits", ("identity", "revoke", "planning:x", "--key", "7")),
    (2, "--compromised-since: ' ' is no time", ("identity", "revoke", "planning:x", "--compromised-since", " ")),
    (2, "400", ("identity", "revoke", "planning:x", "--reason", LONG)),
    (2, "'--charter-digest': 'blake3:9f' is not a digest", ("verify", "DATA", "--charter-digest", "blake3:9f")),
    (2, "'--scheme': 'No' is not a scheme", ("import", "dcat", "DATA", "--scheme", "No")),
    (2, "'--floor': 'A B' is not a bureau id", ("charter", "propose", "EMPTY", "-o", "MISSING", "--floor", "A B")),
    # What is to be recorded, each value by itself.
    (2, "'CODE': 'A@1' is not a resource code", ("declare", "A@1", *OPEN)),
    (2, "'--title': it is empty", ("declare", "A", "--title", "", *OPEN[2:])),
    (2, "'--title': 'half \\udcff' is no text; expected UTF-8", ("declare", "A", "--title", NO_TEXT, *OPEN[2:])),
    (2, "'--title': 5000 characters; expected at most 400", ("declare", "A", "--title", LONG, *OPEN[2:])),
    (2, "'--cycle': 'monthly' is not an update cycle", ("declare", "A", *OPEN, "--cycle", "monthly")),
    (2, "'--field': ", ("declare", "A", *OPEN, "--field", ":text")),
    (2, "'--steward': it is empty", ("declare", "A", *OPEN, "--steward", "")),
    (2, "'CODE': '' is not a resource code", ("provide", "", "DATA")),
    (2, "'--version': 'A@1' is not a label", ("provide", "A", "DATA", "--version", "A@1")),
    (2, "checks[0]: 5000 characters", ("provide", "A", "DATA", "--check", LONG)),
    (2, "'--desensitised': method: 5000 characters", ("provide", "A", "DATA", "--desensitised", LONG)),
    (2, "'CODE@VERSION': 'A' is not a version reference", ("recall", "A", "--reason", "r")),
    (2, "'--replaced-by': 'B' is not", ("recall", "A@1", "--reason", "r", "--replaced-by", "B")),
    (2, "'--provider': 'A B' is not a bureau id", ("request", "A", "--provider", "A B", "--purpose", "p")),
    (4, "no bureau 'nosuch'", ("request", "A", "--provider", "nosuch", "--purpose", "p")),
    (2, "planning is the profile's own bureau", ("request", "A", "--provider", PLANNING, "--purpose", "p")),
    (2, "2026-01-01 is past", ("request", "A", "--provider", "x", "--purpose", "p", "--until", "2026-01-01")),
    (2, "it takes --reason or --basis", ("deny", "planning#1")),
    (2, "'--until': 'someday' is not a day", ("grant", "planning#1", "--until", "someday")),
    (2, "'CODE[@VERSION]': '' is not a resource code", ("send", "", "--to", PLANNING)),
    (4, "no bureau 'nosuch'", ("send", "A@1", "--to", "nosuch")),
    (2, "'--digest': '7' is not a digest", ("send", "A@1", "--to", PLANNING, "--digest", "7")),
    (2, "'EXCHANGE': 'half \\udcff' is no text", ("receive", NO_TEXT, "DATA")),
    (2, "'--of': '@' is not a version reference", ("receive", ID, "DATA", "--of", "@")),
    (2, "'7qk2m9' is what the short form", ("failed", "7qk2m9", "--side", "receiving", "--reason", "r")),
    (2, "'7QK2M9' is what the short form", ("ask", "taxation#1", "--exchange", "7QK2M9")),
    (4, "no bureau 'nosuch'", ("receive", ID, "DATA", "--sender", "nosuch")),
    (2, "'--digest': '7' is not a digest", ("receive", ID, "--digest", "7")),
    (2, "'--size': ", ("receive", ID, "--size", "9" * 30)),
    (2, "'CODE[@VERSION]': '@@' is not a version reference", ("use", "@@", "--purpose", "p")),
    (2, "'--purpose': 'a@b' is not a label", ("use", "A", "--purpose", "a@b")),
    (2, "'--officer': 'clerk' is not an actor", ("use", "A", "--purpose", "p", "--officer", "clerk")),
    (2, "'--words': 5000 characters", ("ask", "planning#1", "--words", LONG)),
    (2, "'--matter': 'a@b' is not a label", ("duty", "assign", PLANNING, "--duty", "steward", "--matter", "a@b")),
    (2, "'SYSTEM': 'a@b' is not a label", ("system", "register", "a@b", "--name", "n")),
    # Files: none, a folder, no name, what cannot be written.
    (2, "MISSING: cannot be read: No such file or directory; expected an evidence file", ("verify", "MISSING")),
    (2, "FOLDER: cannot be read: Is a directory; expected an evidence file", ("verify", "FOLDER")),
    (2, "'FILE': it is empty; expected the name of a file", ("verify", "")),
    (5, "RUBBISH is not proven", ("verify", "RUBBISH")),
    (2, "MISSING: cannot be read", ("verify", "DATA", "--charter", "MISSING")),
    (5, "RUBBISH: the note is not UTF-8", ("verify", "DATA", "--charter", "RUBBISH")),
    (2, "'-o' / '--output': it is empty", ("prove", "planning#1", "-o", "")),
    (2, "FOLDER: it is there and is no file", ("prove", "planning#1", "-o", "FOLDER")),
    (2, "DATA/x: cannot be written: Not a directory", ("prove", "planning#1", "-o", "DATA/x")),
    (2, "File name too long", ("prove", "planning#1", "-o", LONG)),
    (2, "FOLDER: it is there and is no file", ("report", "-o", "FOLDER")),
    (2, "MISSING: cannot be read", ("report", "-o", "-", "--since-report", "MISSING")),
    (4, "RUBBISH: it does not read", ("report", "-o", "-", "--since-report", "RUBBISH")),
    (2, "FOLDER: cannot be read: Is a directory", ("audit", "--since-report", "FOLDER")),
    (4, "EMPTY: it does not read", ("audit", "--since-report", "EMPTY")),
    (2, "MISSING: the file cannot be read", ("provide", "A", "MISSING")),
    (2, "FOLDER: the file cannot be read: it is not a file", ("provide", "A", "FOLDER")),
    (2, "MISSING: the file cannot be read", ("receive", ID, "MISSING")),
    (2, "MISSING: the file cannot be read", ("declare", "A", *OPEN, "--document", "k:n:MISSING")),
    *(
        (2, "MISSING: cannot be read", ("import", form, "MISSING", "--dry-run"))
        for form in ("dcat", "xroad", "systems")
    ),
    *((2, "FOLDER: cannot be read", ("import", form, "FOLDER", "--dry-run")) for form in ("dcat", "xroad", "systems")),
    *((4, "RUBBISH: ", ("import", form, "RUBBISH", "--dry-run")) for form in ("dcat", "xroad", "systems")),
    (2, "File name too long", ("import", "xroad", LONG, "--dry-run")),
    (2, "MISSING: cannot be read", ("import", "xroad", "EMPTY", "--map", "MISSING")),
    (2, "MISSING: cannot be read", ("charter", "verify", "MISSING")),
    (5, "RUBBISH: charter: the first line is not the header", ("charter", "verify", "RUBBISH")),
    (2, "FOLDER: cannot be read", ("charter", "adopt", "FOLDER")),
    (5, "EMPTY: there are no signatures", ("charter", "adopt", "EMPTY")),
    (2, "MISSING: cannot be read", ("charter", "propose", "MISSING", "-o", "MISSING")),
    (2, "RUBBISH: cannot be read", ("charter", "propose", "RUBBISH", "-o", "MISSING")),
    (2, "'NAME': it is empty", ("charter", "key", "", "-o", "MISSING")),
    (2, "MISSING: cannot be read", ("identity", "register", "MISSING")),
    (4, "RUBBISH: not a registration request", ("identity", "register", "RUBBISH")),
    (2, "'--dir': it is empty", ("identity", "init", "--actor", "x", "--dir", "")),
    (2, "File name too long", ("identity", "init", "--actor", "x", "--dir", LONG)),
    (2, "DATA/x.key: the key cannot be written", ("identity", "init", "--actor", "x", "--dir", "DATA")),
    (2, "MISSING: the key cannot be read", ("key", "show", "MISSING")),
    (2, "FOLDER: the key cannot be read", ("key", "encrypt", "FOLDER")),
    (2, "MISSING: the key cannot be read", ("key", "reseal", "MISSING")),
    # What every command takes.
    (2, "'--profile': it is empty", ("--profile", "", "status")),
    (2, "MISSING: cannot be read: No such file or directory; expected a profile", ("--profile", "MISSING", "status")),
    (2, "FOLDER: cannot be read: Is a directory; expected a profile", ("--profile", "FOLDER", "status")),
    (2, "EMPTY: it is empty; expected a profile, which is TOML", ("--profile", "EMPTY", "status")),
    (2, "RUBBISH: it is no UTF-8 at byte 128; expected a profile, which is TOML", ("--profile", "RUBBISH", "status")),
    (2, "is not one of 'en', 'zh'", ("status", "--lang", "")),
    (2, "is not a valid integer", ("status", "--passphrase-fd", "")),
    (2, "there is no command ''", ("",)),
]

TALLYD_LINES: list[tuple[int, str, tuple[str, ...]]] = [
    (2, "'A B' is not a bureau id", ("init", "MISSING", "--bureau", "A B", "--origin", "a.b/c", "--credit-code", "7")),
    (2, "'--bureau': it is empty", ("init", "MISSING", "--bureau", "", "--origin", "a.b/c", "--credit-code", "7")),
    (2, "credit code", ("init", "MISSING", "--bureau", "a", "--origin", "a.b/c", "--credit-code", "7")),
    (2, "is not a digest", ("init", "FOLDER", "--charter", "DATA", "--charter-digest", "blake3:9f")),
    (
        2,
        "MISSING: cannot be read",
        ("init", "FOLDER", "--charter", "MISSING", "--charter-digest", f"blake3:{'0' * 64}"),
    ),
    *((2, "'[DIR]': it is empty", (*command, "")) for command in (("run",), ("fsck",), ("config", "show"))),
    *((2, "MISSING/tallyd.toml: cannot be read", (each, "MISSING")) for each in ("run", "fsck")),
    *((2, "'--config': it is empty", (each, "--config", "")) for each in ("run", "fsck")),
    (2, "RUBBISH: ", ("fsck", "--config", "RUBBISH")),
    (2, "FOLDER: cannot be read: Is a directory", ("config", "show", "--config", "FOLDER")),
    (2, "MISSING/tallyd.toml: cannot be read", ("backup", "MISSING", "MISSING")),
    (2, "'DEST': it is empty", ("backup", "FOLDER", "")),
    (2, "RUBBISH/backup.toml: cannot be read: Not a directory", ("restore", "RUBBISH", "MISSING")),
    (2, "FOLDER/tallyd.toml: cannot be read", ("recover", "survey", "FOLDER")),
    (2, "'CHARTER': it is empty", ("recover", "rebuild", "FOLDER", "")),
    (2, "FOLDER/tallyd.toml: cannot be read", ("charter", "adopt", "FOLDER", "DATA")),
    (2, "is not one of 'ledger', 'witness', 'registrar'", ("charter", "renew", "FOLDER", "")),
    (2, "there is no --request", ("cert", "issue", "FOLDER", "clerk", "-o", "MISSING")),
    (2, "FOLDER: whose certificates these are is not said", ("cert", "show", "FOLDER")),
    (2, "is not a valid integer", ("cert", "renew", "FOLDER", "--days", "")),
    (2, "FOLDER: there is no cluster here", ("cluster", "start", "x", "--dir", "FOLDER")),
    (2, "'BUREAU': it is empty", ("cluster", "kill", "", "--dir", "FOLDER")),
    (2, "File name too long", ("cluster", "status", "--dir", LONG)),
    (2, "--bureaus: 0 bureaus; expected 1 to 300", ("cluster", "up", "--dir", "MISSING", "--bureaus", "0")),
]


def named(value: object) -> str | None:
    """A short id of a command line."""
    if not isinstance(value, tuple):
        return ""
    return " ".join(word[:24].encode("ascii", "backslashreplace").decode() or "''" for word in value)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that are not what they should be, by the names of the table."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "FOLDER").mkdir()
    (folder / "RUBBISH").write_bytes(bytes(range(256)) * 9)
    (folder / "EMPTY").write_bytes(b"")
    (folder / "DATA").write_bytes(b"data")
    return folder


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of a bureau whose node is down."""
    folder = tmp_path_factory.mktemp("away")
    office = Office(PLANNING, now_us=now_us())
    note, digest = office.charter()
    (folder / "charter.note").write_bytes(note)
    for name in ("clerk", "registrar"):
        seed = sha256(f"{PLANNING}/{name}".encode()).digest()  # as the office has them
        save_private(folder / f"{name}.key", Ed25519PrivateKey.from_private_bytes(seed))
    profile = folder / "profile.toml"
    profile.write_text(
        f'charter = "charter.note"\ncharter_digest = "{digest}"\nbureau = "{PLANNING}"\nstate = "state"\n'
        f'[identity]\nactor = "{PLANNING}:clerk"\nkey = "clerk.key"\n[registrar]\nkey = "registrar.key"\n'
    )
    return profile


@pytest.fixture(params=["down", "up"])
def profile(request: pytest.FixtureRequest, away: Path) -> Path:
    """The same bureau's, its node down or up."""
    if request.param == "down":
        return away
    cluster: LocalCluster = request.getfixturevalue("shared_cluster")
    return cluster[PLANNING].profile


@pytest.mark.parametrize(("code", "words", "arguments"), LINES, ids=named)
def test_tally_says_what_is_wrong_before_anybody_is_asked(
    tally: Tally,
    files: Path,
    profile: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    words: str,
    arguments: tuple[str, ...],
) -> None:
    """One line on standard error, nothing on standard output, nothing written, and the exit code, node or no node."""
    monkeypatch.chdir(files)
    before = sorted(files.rglob("*"))
    said = tally(*arguments, profile=profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1), said
    assert words in said.err
    assert sorted(files.rglob("*")) == before


@pytest.mark.parametrize(("code", "words", "arguments"), TALLYD_LINES, ids=named)
def test_tallyd_says_what_is_wrong(
    capfd: pytest.CaptureFixture[str],
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    words: str,
    arguments: tuple[str, ...],
) -> None:
    """As `tally` does."""
    monkeypatch.chdir(files)
    before = sorted(files.rglob("*"))
    said = tallyd(capfd, monkeypatch, *arguments)
    assert (said[0], said[1], len(said[2].splitlines())) == (code, "", 1), said
    assert words in said[2]
    assert sorted(files.rglob("*")) == before


def tallyd(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[object, str, str]:
    """Run one command in this process: its exit code, and what it printed."""
    monkeypatch.setattr("sys.argv", ["tallyd", *arguments])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    capfd.readouterr()
    with pytest.raises(SystemExit) as left:
        tallyd_main.main()
    return (left.value.code, *capfd.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        ("log",),
        ("show", "planning#1"),
        ("identity", "show"),
        ("declare", "A", *OPEN),
        ("provide", "A", "DATA"),
        ("send", "A@1", "--to", PLANNING),
        ("receive", ID, "DATA"),
        ("use", "A", "--purpose", "p"),
        ("use", "A@1", "--purpose", "p"),
        ("ask", "planning#1", "--words", "w"),
        ("identity", "revoke", "planning:x", "--reason", "r"),
    ],
    ids=named,
)
def test_a_good_call_of_a_node_that_is_down_is_unreachable(
    tally: Tally, files: Path, away: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Exit code 3 is left for what it says."""
    monkeypatch.chdir(files)
    said = tally(*arguments, profile=away)
    assert (said.code, said.out) == (3, "")
    assert "nobody answers" in said.err


def commands(command: click.Command, name: str) -> list[tuple[str, click.Command]]:
    """Every command below one, by its whole name."""
    if not isinstance(command, click.Group):
        return [(name, command)]
    context = click.Context(command)
    below = [(each, command.get_command(context, each)) for each in command.list_commands(context)]
    return [found for each, inner in below if inner is not None for found in commands(inner, f"{name} {each}")]


def takers() -> list[tuple[str, click.Parameter, click.ParamType[object]]]:
    """Every argument and option of both programs that takes words, and each type of its words."""
    found = []
    for name, command in [*commands(tally_command, "tally"), *commands(tallyd_main.tallyd, "tallyd")]:
        for parameter in command.params:
            types = parameter.type.types if isinstance(parameter.type, click.Tuple) else [parameter.type]
            found += [(f"{name} {parameter.name}", parameter, type_) for type_ in types]
    return [each for each in found if not (isinstance(each[1], click.Option) and each[1].is_flag)]


def test_no_command_takes_an_empty_word() -> None:
    """Neither program, for any argument or option; but for the one whose value may be left out."""
    took = set()
    for name, parameter, type_ in takers():
        try:
            type_.convert("", parameter, None)
            took.add(name)
        except click.UsageError:
            pass
    assert took == {"tally prove disclose", "tally show disclose"}


def test_no_command_takes_words_that_are_no_text_but_as_names_of_files() -> None:
    """What no UTF-8 can carry is refused wherever it could go to a ledger."""
    took = set()
    for name, parameter, type_ in takers():
        try:
            type_.convert("\udcff", parameter, None)
            if not isinstance(type_, click.Path):
                took.add(name)
        except click.UsageError:
            pass
    assert took == set()


def boom(*_: object, **__: object) -> None:
    raise ZeroDivisionError("boom")


def test_a_fault_of_the_program_is_told_from_what_a_ledger_says(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 70 of both programs: no command fails with that by itself."""
    monkeypatch.setattr(TEXT.__class__, "convert", boom)
    assert tally_main.main(["case", "A"]) == FAULT == 70
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), "a fault of this program, please report it: ZeroDivisionError: boom" in err) == (
        "",
        1,
        True,
    )
    code, out, err = tallyd(capfd, monkeypatch, "cluster", "kill", "x")
    assert (code, out, err) == (FAULT, "", "tallyd: an internal error: ZeroDivisionError: boom\n")
