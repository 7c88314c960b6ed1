"""DCAT-US catalogues read as declarations: what is kept, and that everything else is accounted for."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import ConfigInvalid, InvalidIdentifier, Refused
from tallystick.sdk.importers import json_file
from tallystick.sdk.importers.bring_in import Compared, compare
from tallystick.sdk.importers.dcat import Catalogue, read_catalogue
from tallystick.sdk.importers.dcat_data_set import SOURCE
from tallystick.sdk.importers.json_file import parse_json, read_input
from tallystick.sdk.standing import Standing
from tallystick_proto.v1.statement_pb2 import ResourceDeclared

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "dcat"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the agencies' catalogues are not here")
# How many data sets, and of those withheld and conditional how many state nothing.
AGENCIES = {
    "dhs": (1093, 134, 15),
    "dol": (465, 0, 0),
    "gsa": (339, 2, 0),
    "opm": (134, 97, 8),
    "treasury": (233, 0, 0),
}

SET = {"identifier": "A-1", "title": "A title", "accessLevel": "public"}


def read(*data_sets: Any, **top: Any) -> Catalogue:
    """A file of these data sets, read."""
    return read_catalogue(json.dumps({**top, "dataset": data_sets}).encode())


def one(**fields: Any) -> ResourceDeclared:
    """The body of the one declaration of a data set."""
    (declaration,) = read({**SET, **fields}).declarations
    return declaration.body


def why_dropped(**fields: Any) -> dict[str, str]:
    """What was dropped of a data set, and why."""
    catalogue = read({**SET, **fields})
    assert len(catalogue.declarations) == 1
    return dict(catalogue.account.dropped.keys())


def why_skipped(data_set: Any) -> str:
    """Why a data set was not declared."""
    catalogue = read(data_set)
    assert catalogue.declarations == ()
    (skipped,) = catalogue.account.skipped
    return skipped.reason


# Real files.


@needs_data
@pytest.mark.parametrize("agency", AGENCIES)
def test_every_agency_is_read_whole(agency: str) -> None:
    """Every data set of a real catalogue becomes a declaration, and what states nothing is known."""
    sets, withheld_bare, conditional_bare = AGENCIES[agency]
    catalogue = read_catalogue((DATA / f"{agency}.json").read_bytes())
    bodies = [declaration.body for declaration in catalogue.declarations]
    assert len(bodies) == catalogue.account.data_sets == sets
    assert catalogue.account.skipped == []
    assert sum(b.sharing == b.WITHHELD and not b.HasField("basis") for b in bodies) == withheld_bare
    assert sum(b.sharing == b.CONDITIONAL and not b.HasField("condition") for b in bodies) == conditional_bare


@needs_data
@pytest.mark.parametrize("agency", AGENCIES)
def test_every_field_is_kept_or_counted(agency: str) -> None:
    """For each field of each real data set: it is read, or its name is counted as often as it says something."""
    data_sets = json.loads((DATA / f"{agency}.json").read_bytes())["dataset"]
    account = read_catalogue((DATA / f"{agency}.json").read_bytes()).account
    read_here = {"identifier", "title", "accessLevel", "rights", "accrualPeriodicity", "publisher", "distribution"}
    for name in {name for data_set in data_sets for name in data_set} - read_here:
        said = sum(data_set.get(name) is not None for data_set in data_sets)
        assert sum(count for (field, _), count in account.dropped.items() if field == name) == said


@needs_data
def test_reading_again_gives_the_same() -> None:
    """The same bytes give the same declarations, so that a second import has nothing to say."""
    data = (DATA / "gsa.json").read_bytes()
    assert read_catalogue(data) == read_catalogue(data)


# What becomes of each field.


@pytest.mark.parametrize(
    ("level", "sharing", "public"),
    [
        ("public", ResourceDeclared.UNCONDITIONAL, True),
        ("restricted public", ResourceDeclared.CONDITIONAL, False),
        ("non-public", ResourceDeclared.WITHHELD, False),
    ],
)
def test_access_level_becomes_the_sharing_class(level: str, sharing: int, public: bool) -> None:
    """The three access levels are the three sharing classes."""
    body = one(accessLevel=level)
    assert (body.sharing, body.public) == (sharing, public)


@pytest.mark.parametrize(
    "given", ["Public", " PUBLIC ", "restrictedPublic", "Restricted-Public", "non public", "nonpublic"]
)
def test_odd_spellings_are_read_and_counted(given: str) -> None:
    """An access level is known by its letters, and the account says what was taken for what."""
    catalogue = read({**SET, "accessLevel": given})
    assert len(catalogue.declarations) == 1
    assert [spelled for spelled, _ in catalogue.account.read_as] == [given]


@pytest.mark.parametrize(
    "given", [None, "", "private", "restricted", "公开", 1, True, ["public"], {"level": "public"}, "public" * 99]
)
def test_what_is_no_access_level_is_never_guessed(given: object) -> None:
    """Such a data set is skipped, with the reason."""
    assert "accessLevel" in why_skipped({**SET, "accessLevel": given})


@pytest.mark.parametrize("words", ["private", "NA", "true", "  kept as it is ", "依据"])
def test_rights_are_the_words_of_basis_or_condition_as_they_are(words: str) -> None:
    """However hollow they are: a rule judges that later."""
    assert one(accessLevel="non-public", rights=words).basis.words == words
    assert one(accessLevel="restricted public", rights=words).condition.words == words


@pytest.mark.parametrize("rights", [None, "", "   ", 7, True, ["x"], {"a": "b"}])
def test_rights_that_say_nothing_are_no_basis(rights: object) -> None:
    """An absent basis stays absent; what was there and was no text is counted."""
    body = one(accessLevel="non-public", rights=rights)
    assert not body.HasField("basis")
    assert ("rights" in why_dropped(accessLevel="non-public", rights=rights)) == (rights not in (None, ""))


def test_rights_of_public_data_are_counted_as_dropped() -> None:
    """Public data has neither basis nor condition."""
    body = one(rights="yes")
    assert not body.HasField("basis")
    assert not body.HasField("condition")
    assert "rights" in why_dropped(rights="yes")


@pytest.mark.parametrize(
    ("cycle", "kept"), [("R/P1Y", True), ("irregular", True), ("R/PT1S", True), ("Annual", False), (3, False)]
)
def test_only_an_update_cycle_is_kept(cycle: object, kept: bool) -> None:
    """What is not ISO 8601 is dropped and counted."""
    assert one(accrualPeriodicity=cycle).update_cycle == (cycle if kept else "")
    assert ("accrualPeriodicity" in why_dropped(accrualPeriodicity=cycle)) == (not kept)


@pytest.mark.parametrize(
    ("publisher", "steward"),
    [
        ({"name": "BEP", "subOrganizationOf": {"name": "Treasury"}}, "BEP"),
        ({"subOrganizationOf": {"name": "Treasury"}}, "Treasury"),
        ({"name": "", "subOrganizationOf": {"name": 3, "subOrganizationOf": {"name": "US"}}}, "US"),
        ("Treasury", "Treasury"),
        ({"@type": "org:Organization"}, ""),
        ([{"name": "BEP"}], ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_smallest_unit_with_a_name_is_the_steward(publisher: object, steward: str) -> None:
    """Publishers nest."""
    assert one(publisher=publisher).steward == steward


def test_a_publisher_that_never_ends_is_left() -> None:
    """Nesting has a bound."""
    publisher: dict[str, Any] = {}
    for _ in range(100):
        publisher = {"subOrganizationOf": publisher}
    assert why_dropped(publisher=publisher)["publisher"] == "nested too deeply"


def test_formats_and_media_types_are_methods_each_once() -> None:
    """A single distribution may stand without its list."""
    csv = {"format": "csv", "mediaType": "text/csv", "downloadURL": "https://x"}
    assert list(one(distribution=[csv, csv, {"format": "API"}, {}]).methods) == ["csv", "text/csv", "API"]
    assert list(one(distribution=csv).methods) == ["csv", "text/csv"]
    assert why_dropped(distribution=csv)["distribution.downloadURL"] == "no place in a declaration"


@pytest.mark.parametrize("distribution", ["csv", 3, ["csv"], [None], [{"format": 3}], [{"format": {"a": 1}}]])
def test_distributions_of_another_shape_are_counted(distribution: object) -> None:
    """They give no method and cost no data set."""
    assert list(one(distribution=distribution).methods) == []
    assert [name for name in why_dropped(distribution=distribution) if name.startswith("distribution")]


def test_more_methods_than_a_declaration_holds_are_counted() -> None:
    """The rest is dropped, not the data set."""
    distribution = [{"format": f"f{number}"} for number in range(40)]
    assert len(one(distribution=distribution).methods) == 32
    catalogue = read({**SET, "distribution": distribution})
    assert sum(catalogue.account.dropped.values()) == 8


def test_a_person_is_never_kept() -> None:
    """The contact point is counted, and no part of it is in the declaration."""
    contact = {"fn": "Jane Roe", "hasEmail": "mailto:jane@example.gov"}
    (declaration,) = read({**SET, "contactPoint": contact}).declarations
    assert why_dropped(contactPoint=contact) == {"contactPoint": "a person"}
    assert b"jane" not in declaration.body.SerializeToString().lower()


def test_long_texts_are_cut_to_their_field_and_counted() -> None:
    """A cut text ends in an ellipsis, and fits."""
    long = "x" * 5000
    catalogue = read({**SET, "title": long, "accessLevel": "non-public", "rights": long, "publisher": {"name": long}})
    (declaration,) = catalogue.declarations
    body = declaration.body
    assert (len(body.title), len(body.basis.words), len(body.steward)) == (400, 400, 200)
    assert body.title.endswith("x…")
    assert catalogue.account.cut == {("title", 400): 1, ("rights", 400): 1, ("publisher.name", 200): 1}


def test_the_head_says_where_it_is_from() -> None:
    """Rules about missing references do not apply to what is imported."""
    (declaration,) = read(SET).declarations
    assert declaration.values["source"] == SOURCE


# What cannot be declared.


@pytest.mark.parametrize(
    ("data_set", "reason"),
    [
        ({**SET, "identifier": None}, "no identifier"),
        ({**SET, "identifier": ""}, "no identifier"),
        ({**SET, "identifier": 7}, "not text"),
        ({**SET, "identifier": ["A"]}, "not text"),
        ({**SET, "identifier": "A@1"}, "cannot be a code"),
        ({**SET, "identifier": "https://x/#a"}, "cannot be a code"),
        ({**SET, "identifier": "A\n1"}, "cannot be a code"),
        ({**SET, "identifier": "A" * 257}, "cannot be a code"),
        ({**SET, "identifier": "\ud800"}, "cannot be a code"),
        ({**SET, "title": None}, "no title"),
        ({**SET, "title": "  "}, "no title"),
        ({**SET, "title": 7}, "not text"),
        ({**SET, "title": "half \ud800"}, "title"),
        ({}, "no identifier"),
        (None, "not an object"),
        (float("nan"), "not an object"),
        ([], "not an object"),
        ("text", "not an object"),
    ],
    ids=str,
)
def test_what_cannot_be_declared_is_skipped_with_its_reason(data_set: object, reason: str) -> None:
    """One bad data set costs itself alone."""
    assert reason in why_skipped(data_set)
    catalogue = read(data_set, {**SET, "identifier": "good"})
    assert [declaration.code for declaration in catalogue.declarations] == ["good"]


def test_an_identifier_counts_once() -> None:
    """The first data set of an identifier is declared, the others are named with the place of the first."""
    catalogue = read(SET, {**SET, "title": "other"}, {**SET, "identifier": "A-2"})
    assert [declaration.body.title for declaration in catalogue.declarations] == ["A title", "A title"]
    (skipped,) = catalogue.account.skipped
    assert (skipped.position, skipped.identifier) == (1, "A-1")
    assert "data set 0" in skipped.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"hello",
        b"{",
        b"\xff\xfe\x00",
        b"\x80abc",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b'{"dataset": {}}',
        b'{"dataset": null}',
        b"9" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda data: repr(data[:16]),
)
def test_what_is_no_catalogue_is_refused(data: bytes) -> None:
    """One domain error, whatever the bytes are."""
    with pytest.raises(Refused):
        read_catalogue(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_json_is_read(encoding: str) -> None:
    """With or without a byte order mark."""
    data = json.dumps({"dataset": [{**SET, "title": "数据"}]}, ensure_ascii=False).encode(encoding)
    assert read_catalogue(data).declarations[0].body.title == "数据"


def test_a_bare_list_is_a_catalogue() -> None:
    """The list of data sets may stand without its object, and be empty."""
    assert len(read_catalogue(json.dumps([SET]).encode()).declarations) == 1
    assert read_catalogue(b"[]").declarations == ()


def test_numbers_that_json_does_not_have_cost_only_their_field() -> None:
    """A NaN where nobody looks is no reason to refuse a catalogue."""
    catalogue = read_catalogue(
        b'[{"identifier":"A","title":"t","accessLevel":"public","spatial":NaN,"rights":Infinity}]'
    )
    assert len(catalogue.declarations) == 1


def test_a_name_that_stands_twice_is_counted() -> None:
    """Which of two values counts is not decided in silence."""
    value, repeated = parse_json(b'{"a": 1, "a": 2, "b": {"c": 1, "c": 1, "c": 3}}')
    assert value == {"a": 2, "b": {"c": 3}}
    assert repeated == {"a": 1, "c": 2}


def test_a_scheme_must_be_one() -> None:
    """The scheme of the codes is checked before anything is read."""
    with pytest.raises(InvalidIdentifier):
        read_catalogue(b"[]", "No Scheme")


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent, a folder, or too large."""
    with pytest.raises(ConfigInvalid):
        read_input(tmp_path / "none")
    with pytest.raises(ConfigInvalid):
        read_input(tmp_path)
    monkeypatch.setattr(json_file, "IMPORT_BYTES_MAX", 3)
    (tmp_path / "large").write_bytes(b"[  ]")
    with pytest.raises(Refused):
        read_input(tmp_path / "large")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "format", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = [
    "identifier",
    "title",
    "accessLevel",
    "rights",
    "accrualPeriodicity",
    "publisher",
    "distribution",
    "contactPoint",
    "y",
]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(fields), json_values | st.sampled_from(["A", "public", "non-public"]), max_size=9
        ),
        max_size=4,
    )
)
def test_any_json_is_read_or_accounted_for(data_sets: list[dict[str, Any]]) -> None:
    """Whatever stands in its fields, each data set is declared or skipped, and nothing else happens."""
    catalogue = read_catalogue(json.dumps(data_sets).encode())
    assert len(catalogue.declarations) + len(catalogue.account.skipped) == len(data_sets)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Garbage raises one domain error."""
    with suppress(Refused):
        read_catalogue(data)


# What an import would do.


def standing(catalogue: Catalogue, source: str = SOURCE) -> dict[str, Standing]:
    return {d.code: Standing(index, d.body, source) for index, d in enumerate(catalogue.declarations)}


def compared_with(catalogue: Catalogue, before: dict[str, Standing]) -> tuple[list[str], Compared]:
    """The codes an import would record over what stands, and what it says of all."""
    compared = Compared()
    stands = {code: each.declared for code, each in before.items()}
    return [d.code for d in compare(catalogue.declarations, stands, compared)], compared


def test_what_stands_already_is_not_new() -> None:
    """Against its own result, an import has nothing to record."""
    catalogue = read(SET, {**SET, "identifier": "A-2"})
    wanted, compared = compared_with(catalogue, standing(catalogue))
    assert (wanted, compared.new, compared.changed, compared.unchanged) == ([], 0, [], 2)
    assert catalogue.gone(standing(catalogue)) == []


def test_a_changed_data_set_is_recorded_again() -> None:
    """And only that one."""
    before = standing(read(SET, {**SET, "identifier": "A-2"}))
    changed = read(SET, {**SET, "identifier": "A-2", "accessLevel": "non-public"})
    wanted, compared = compared_with(changed, before)
    assert (wanted, compared.changed, compared.new, compared.unchanged) == (["A-2"], ["A-2"], 0, 1)


def test_codes_that_a_file_no_longer_names_are_told() -> None:
    """Those of the same import alone; a data set that is skipped is still named."""
    before = standing(read(SET, {**SET, "identifier": "A-2"}, {**SET, "identifier": "A-3"}))
    by_hand = standing(read({**SET, "identifier": "B"}), source="")
    assert read(SET, {"identifier": "A-3"}).gone(before | by_hand) == ["A-2"]


def test_another_scheme_is_another_import() -> None:
    """Catalogues under two schemes do not miss each other's codes."""
    assert read_catalogue(b"[]", "other").gone(standing(read(SET))) == []
