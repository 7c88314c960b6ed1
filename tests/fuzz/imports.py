"""Other people's records: inventories, catalogues, and X-Road's logs in every form they come in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from tallystick.sdk.importers.dcat import read_catalogue
from tallystick.sdk.importers.systems import read_stock
from tests.fuzz.target import Target, tried
from tests.harness.xroad import FORMS, both, read_bytes


def systems(data: bytes) -> None:
    """Every row of an inventory is accounted for."""
    stock = tried(read_stock, data)
    if stock is not None:
        account = stock.account
        assert len(stock.registrations) + len(account.skipped) + len(account.repeated) + account.empty == account.rows
        assert len({each.key for each in stock.registrations}) == len(stock.registrations)


def dcat(data: bytes) -> None:
    """Every data set of a catalogue is declared or skipped with a reason."""
    found = tried(read_catalogue, data)
    if found is not None:
        assert len(found.declarations) + len(found.account.skipped) == found.account.data_sets
        assert not found.gone({})


def xroad(data: bytes) -> None:
    """Every record of a log is imported, a duplicate, somebody else's or skipped."""
    tried(read_bytes, data)


def _systems() -> Iterator[bytes]:
    header = "系统编码,系统名称,项目,批复日期,验收日期,运维单位,替代系统"
    row = "TAX-REG,税务登记,P-7,2019年3月1日,2020/6/5,云中心,OLD"
    yield f"{header}\r\n{row}\r\n".encode()
    yield f"{header}\r\n{row}\r\n".encode("gb18030")
    yield b'\xef\xbb\xbfcode;name;approved_on\n"A ""1""";a;2019-03-01\n;;\nA;b;1\n'
    yield b"code\tname\taccepted_on\nA\ta\t2020-02-30\n"


def _dcat() -> Iterator[bytes]:
    data_set = {
        "identifier": "A-1",
        "title": "A title",
        "accessLevel": "restricted public",
        "rights": "by agreement",
        "accrualPeriodicity": "R/P1Y",
        "publisher": {"name": "Office", "subOrganizationOf": {"name": "Agency"}},
        "distribution": [{"format": "CSV", "mediaType": "text/csv"}],
        "contactPoint": {"fn": "somebody"},
    }
    yield json.dumps({"conformsTo": "x", "dataset": [data_set, {**data_set, "identifier": "A-2"}, 7]}).encode()
    yield json.dumps([{**data_set, "accessLevel": "non-public"}]).encode("utf-16")
    yield b'{"dataset": [{"identifier": "1", "identifier": "2", "title": null, "accessLevel": NaN}]}'


def _xroad() -> Iterator[bytes]:
    records = both()
    for write in FORMS.values():
        yield write(records)
    yield gzip.compress(FORMS["lines"](records), mtime=0)


TARGETS = (Target("systems", systems, _systems), Target("dcat", dcat, _dcat), Target("xroad", xroad, _xroad))
