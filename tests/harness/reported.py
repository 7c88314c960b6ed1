"""A small district in which something of everything happened, reports on districts, and pages read back."""

from __future__ import annotations

from collections import Counter
from datetime import date
from html.parser import HTMLParser
from typing import Final

from tallystick.audit.earlier import OldReport
from tallystick.audit.life import compare
from tallystick.audit.report.model import Imprint, Report, report_of
from tallystick.audit.report.watched import Watched
from tests.harness.district import District
from tests.harness.stories import digest_of

ON: Final = "2027-06-30"
_VOID: Final = frozenset({"br", "hr", "meta"})


def busy(**rulebook: object) -> District:
    """market, tax and planning: what they declare, ask, exchange, dispute, recall; and a system nobody uses."""
    where = District("market", "tax", "planning", **rulebook)  # type: ignore[arg-type]
    market, tax, planning = where["market"], where["tax"], where["planning"]
    market.declare("R-1", scheme="local", title="Licences", sharing="unconditional", public=True)
    market.declare("R-2", scheme="local", title="Penalties", sharing="conditional", condition="joint supervision")
    market.declare("R-3", scheme="local", title="Complaints", sharing="withheld")
    tax.declare("T-1", scheme="local", title="Taxpayers", sharing="unconditional", update_cycle="R/P1M")
    market.provide_version("R-1@1", digest=digest_of(1), size=10)
    tax.provide_version("T-1@1", digest=digest_of(2), size=20, derived_from=["R-1@1"])
    planning.provide_version("P-1@1", digest=digest_of(3), size=30, derived_from=["T-1@1", "X-9@1"])
    asked = tax.request("R-1", provider="market", purpose="tax-registration")
    asked_late = tax.request("R-2", provider="market", purpose="tax-registration")
    planning.request("R-1", provider="market", purpose="joint-supervision")
    where.on("2027-03-03")
    grant = market.grant(asked, to="tax", resource="R-1")
    where.on("2027-03-04")
    for exchange, size in (("x-1", 10), ("x-2", 11)):
        sent = market.send(exchange, to="tax", version="R-1@1", grant=grant, digest=digest_of(1), size=10)
        received = tax.receive(exchange, sender="market", version="R-1@1", sent=sent, digest=digest_of(1), size=size)
    market.send("x-3", to="tax", version="R-1@1", grant=grant, digest=digest_of(1), size=10)
    tax.receive("x-4", sender="market", version="R-1@1", digest=digest_of(1), size=10)
    concern = tax.raise_concern(to="market", about=received, sort="quality", reason="size")
    where.on("2027-03-05")
    market.answer(concern=concern, to="tax", outcome="explained")
    market.recall("R-1@1", reason="a column was shifted")
    where.on("2027-03-29")
    market.deny(asked_late, to="tax", resource="R-2", reason="not yet in order")
    planning.register_system("OLD", name="Old portal", operator="the data centre", accepted_on="2012-01-15")
    planning.report_system_use("OLD", since="2026-01-01", until="2027-03-01", users=0, operations=0)
    return where


def report(
    where: District, on: str | date = ON, *, resource: str | None = None, before: OldReport | None = None
) -> Report:
    """The report on a district as of a day, since an earlier one where that is given."""
    watched = Watched()
    found, seen, coverage = where.look(on, watching=watched)
    lives = None if before is None else compare(found, before, seen, coverage)
    imprint = Imprint("1.2.3", f"tally report --on {on} -o FILE")
    return report_of(found, seen, coverage, watched, imprint, lives=lives, resource=resource)


class Page(HTMLParser):
    """A page read back: its elements by name, its ids, where its links lead, and its text. Every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def values(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [value for _, each, value in self.attributes if each == name]

    @property
    def ids(self) -> list[str]:
        return self.values("id")

    @property
    def links(self) -> list[str]:
        return self.values("href")
