"""X-Road's records for tests: two records of a message, the forms they come in, and what an import makes of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tallystick.sdk.importers.xroad import Account, XRoadImport
from tallystick.sdk.importers.xroad_half import Half
from tallystick.sdk.importers.xroad_input import COLUMNS, Source
from tallystick.sdk.importers.xroad_map import Identifier, XRoadMap
from tests.harness.district import District

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "xroad" / "opendata-sample.tsv"
needs_data = pytest.mark.skipif(not DATA.is_file(), reason="the open data of X-Road is not here")

MARKET, TAXATION = "market-regulation", "taxation"
SERVICE, CLIENT = Identifier("ee-dev", "COM", "1", "registry"), Identifier("ee-dev", "COM", "2", "office")
MAP = XRoadMap({SERVICE: MARKET, CLIENT: TAXATION})
SAMPLE_BUREAUS = {
    Identifier("ee-dev", "COM", "11022625", "ef-dev-adm"): MARKET,
    Identifier("ee-dev", "COM", "11022625", "ef-dev-app-kalkulaator"): TAXATION,
}
SAMPLE_MAP = XRoadMap(SAMPLE_BUREAUS)
SAMPLE_MAP_TEXT = "".join(f'"{each}" = "{bureau}"\n' for each, bureau in SAMPLE_BUREAUS.items())
MESSAGE = "4b2ad19e-4232-466b-8dd2-86b4f49d7d2a"
RECORD: dict[str, Any] = {
    "messageId": MESSAGE,
    "securityServerType": "Producer",
    "clientXRoadInstance": "ee-dev",
    "clientMemberClass": "COM",
    "clientMemberCode": "2",
    "clientSubsystemCode": "office",
    "serviceXRoadInstance": "ee-dev",
    "serviceMemberClass": "COM",
    "serviceMemberCode": "1",
    "serviceSubsystemCode": "registry",
    "serviceCode": "licence",
    "serviceVersion": "v1",
    "requestInTs": 1506315600123,
    "requestSize": 1268,
    "responseSize": 1450,
    "requestMimeSize": 1876,
    "succeeded": True,
}


def both(**fields: Any) -> list[dict[str, Any]]:
    """The two records of one message."""
    return [{**RECORD, **fields}, {**RECORD, **fields, "securityServerType": "Client"}]


def read_bytes(
    data: bytes, bureau: str = MARKET, bureaus: XRoadMap = MAP, stands: dict[bytes, int] | None = None
) -> tuple[list[Half], Account]:
    """The halves in a file, and its account, whose four counts always add up."""
    importing = XRoadImport(bureau, bureaus, stands or {})
    halves = list(importing.wanted([Source("file", io.BytesIO(data))]))
    account = importing.account
    assert account.imported == len(halves) == account.kinds.total()
    assert account.imported + account.duplicates + account.others.total() + account.skipped.total() == account.records
    return halves, account


def read(*records: Any, **options: Any) -> tuple[list[Half], Account]:
    """The halves in a list of records."""
    return read_bytes(json.dumps(records).encode(), **options)


def lower(record: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in record.items()}


def table(delimiter: str, records: list[dict[str, Any]], names: list[str] | None = None) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    for row in [names or list(RECORD), *([record.get(name, "\\N") for name in RECORD] for record in records)]:
        writer.writerow(row)
    return text.getvalue().encode()


def positional(records: list[dict[str, Any]]) -> bytes:
    named = [{**r, "requestSoapSize": r["requestSize"], "responseSoapSize": r["responseSize"]} for r in records]
    return "".join("\t".join(str(r.get(name, "\\N")) for name in COLUMNS) + "\n" for r in named).encode()


def lines(values: list[Any]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def extended(record: dict[str, Any]) -> dict[str, Any]:
    wrapped = {"$date": {"$numberLong": str(record["requestInTs"])}}
    return {**record, "_id": {"$oid": "x"}, "requestSize": {"$numberLong": "1268"}, "requestInTs": wrapped}


def corrected(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"producer": p, "client": c} for p, c in zip(records[::2], records[1::2], strict=True)]


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "a list": lambda records: json.dumps(records).encode(),
    "records in an object": lambda records: json.dumps({"count": 6, "records": records, "after": {}}).encode(),
    "indented": lambda records: json.dumps({"records": records}, indent=2).encode(),
    "several answers": lambda records: b"".join(json.dumps({"records": [each]}).encode() for each in records),
    "lines": lines,
    "indented documents": lambda records: b"\n".join(json.dumps(each, indent=4).encode() for each in records),
    "names in lower case": lambda records: lines([lower(each) for each in records]),
    "extended JSON": lambda records: lines([extended(each) for each in records]),
    "corrected documents": lambda records: lines(corrected(records)),
    "a list of corrected documents": lambda records: json.dumps(corrected(records)).encode(),
    "a table with tabs": lambda records: table("\t", records),
    "a table with commas": lambda records: table(",", records),
    "a table with semicolons": lambda records: table(";", records),
    "columns in lower case": lambda records: table(",", records, [name.lower() for name in RECORD]),
    "columns in snake case": lambda records: table("\t", records, [*map(snake, RECORD)]),
    "the open data's columns": positional,
}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def told(files: Mapping[str, bytes], bureaus: XRoadMap = SAMPLE_MAP) -> District:
    """A district whose bureaus said what the real importer makes of their files, in the order they are given."""
    district = District(MARKET, TAXATION)
    for bureau, data in files.items():
        halves, _ = read_bytes(data, bureau, bureaus)
        for half in halves:
            district[bureau].say(half.kind, **half.values)
        district.after(1)
    return district
