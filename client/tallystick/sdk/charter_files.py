"""A charter's versions as files: the one in use, those before it beside it, and the step to the next.

    charter.note          the version that was trusted first
    charter-2.note, …     each version that was adopted since, under its number

Nothing is ever replaced there. A profile, or a node's settings, name the file and the digest they go by; adopting a
version writes its file and then that one file anew, so that the old version is in use until, at one moment, the
new one is. Several profiles may share the folder and adopt each on its own.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from tallystick.core.charter_chain import Version, follow, read_version
from tallystick.core.charter_note import HEADER
from tallystick.core.errors import CharterForked, ConfigInvalid, MalformedNote, TallystickError, VerificationFailed
from tallystick.core.hashing import chain_hash
from tallystick.core.limits import CHARTER_BYTES_MAX
from tallystick.sdk.files import read_some, write_whole
from tallystick.sdk.toml_edit import Values, with_values

_NAME = re.compile(r"charter(-[1-9][0-9]{0,8})?\.note")


def read_note(path: Path) -> bytes:
    """A charter's note, or one byte more than a charter may have. Raises ConfigInvalid."""
    return read_some(path, CHARTER_BYTES_MAX, "the charter's note")


def version_in(path: Path) -> Version:
    """What a file says, signed by its own threshold; not trusted by that. Raises ConfigInvalid, VerificationFailed."""
    try:
        return read_version(read_note(path))
    except VerificationFailed as error:
        raise error.at(str(path)) from None


def notes_beside(path: Path) -> list[Path]:
    """The files beside the charter in `path` that are called as versions are, whatever they hold."""
    return [each for each in sorted(path.parent.glob("charter*.note")) if _NAME.fullmatch(each.name) and each != path]


def known_versions(path: Path, digest: str) -> list[Version]:
    """The version in `path`, trusted by its digest, after those before it that were kept beside it.

    Each is the one that the next names as `previous`, so nothing is believed of a file because it lies there.
    """
    last = version_in(path)
    if last.digest != digest:
        raise ConfigInvalid(f"its digest is {last.digest}", where=str(path), expected=digest)
    kept: dict[str, Version] = {}
    for beside in notes_beside(path):
        try:
            version = version_in(beside)
        except TallystickError:  # whatever it is, no version that is known names it
            continue
        kept[version.digest] = version
    versions = [last]
    while (before := kept.get(versions[0].charter.previous)) is not None and before.number == versions[0].number - 1:
        versions.insert(0, before)
    return versions


def forks_among(path: Path, known: Sequence[Version], notes: Iterable[bytes]) -> dict[int, frozenset[str]]:
    """The numbers under which there are several versions, each properly signed, with the digests of these: among those
    known, some notes, and the files beside `path`.
    """
    digests = {version.number: {version.digest} for version in known}
    for note in (*notes, *map(read_note, notes_beside(path))):
        try:
            version = follow(known, note)
        except CharterForked:
            version = read_version(note)
        except TallystickError:  # an old version again, or nobody's
            continue
        digests.setdefault(version.number, set()).add(version.digest)
    return {number: frozenset(several) for number, several in digests.items() if len(several) > 1}


def fork_place(folder: Path, note: bytes) -> Path:
    """Where a version that contradicts a known one is kept, in the folder for that."""
    return folder / f"charter-fork-{chain_hash(note).hex()[:12]}.charter"


def forks_in(folder: Path) -> list[Path]:
    """The files of all that were kept so."""
    return sorted(folder.glob("charter-fork-*.charter"))


def next_version(path: Path, digest: str, file: Path) -> tuple[list[Version], Version]:
    """The versions known, and the one in `file`, which follows the last or is it. Raises as `charter_chain.follow`."""
    known, note = known_versions(path, digest), read_note(file)
    try:
        return known, follow(known, note)
    except VerificationFailed as error:
        if note.startswith(HEADER.encode()) and "\n— ".encode() not in note:
            raise MalformedNote(
                "nobody has signed it",
                where=str(file),
                expected="the note that `tally charter sign` makes of this text",
            ) from None
        raise error.at(str(file)) from None


def adopt(settings: Path, named: str, known: Sequence[Version], version: Version, more: Values | None = None) -> None:
    """Go by a version that was checked: keep it beside the last, then have the settings file name it.

    `named` is the charter's file as the settings name it now, `more` what else changes in them at that moment. Raises
    CharterForked where another version of that number was adopted in the folder, ConfigInvalid.
    """
    place = settings.parent / _next_name(named, version)
    if place.exists():
        _check_kept(place, known, version)
    else:
        write_whole(place, version.note)
    values = {("", "charter"): _next_name(named, version), ("", "charter_digest"): version.digest, **(more or {})}
    text = with_values(settings.read_text(encoding="utf-8"), values, str(settings))
    write_whole(settings, text.encode(), stat.S_IMODE(settings.stat().st_mode))


def _check_kept(place: Path, known: Sequence[Version], version: Version) -> None:
    """What lies where the version is to be kept is that version, or proves a fork, or is in the way."""
    try:
        there = follow(known, read_note(place))
    except VerificationFailed as error:
        raise ConfigInvalid(
            f"something else is there ({error})", where=str(place), expected=f"nothing, or version {version.number}"
        ) from None
    if there.digest != version.digest:
        raise CharterForked(
            f"the holders of the charter's keys signed another version {version.number}, {there.digest}",
            where=str(place),
            expected=f"one charter, not also {version.digest}; keep both notes, they prove it",
            known=version.number,
        )


def _next_name(named: str, version: Version) -> str:
    return str(Path(named).with_name(f"charter-{version.number}.note"))
