"""What is said of an exchange, wherever a question shows one: which halves there are, and how far that proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick.audit.questions.holders import Holder
    from tallystick.audit.views.exchanges import Exchange
    from tallystick.audit.words import Words
    from tallystick.sdk.auditing import Audited


class Halves:
    """Describes exchanges in one language. That a half was not shown is never said to be its absence."""

    def __init__(self, words: Words, audited: Audited) -> None:
        self._words = words
        self._seen = audited.seen
        self._gaps = {ledger.bureau for ledger in audited.coverage.ledgers if ledger.gap}

    def name(self, exchange: Exchange) -> str:
        """What a person is shown for it."""
        return self._seen.exchange_name(exchange.key.id)

    def references(self, exchange: Exchange) -> str:
        """The entries that are its halves, the sent one first."""
        halves = (exchange.sent, exchange.received)
        return " ".join(half.reference for half in halves if half is not None)

    def named(self, exchange: Exchange) -> str:
        """Its name, and what it says."""
        return self._words.say(": ", "：").join((self.name(exchange), self.says(exchange)))

    def says(self, exchange: Exchange) -> str:
        """Whether both halves say the same, differ, or one was not shown; and what was said to have failed."""
        say = self._words.say
        said = self._missing(exchange)
        if not said and exchange.differences:
            differences = (
                say(f"{label} {sent} sent, {received} received", f"{label}（发送方 {sent}，接收方 {received}）")
                for label, sent, received in (
                    (self._words.field(each.name), each.sent, each.received) for each in exchange.differences
                )
            )
            said = say("the halves differ: ", "收发不符：") + say("; ", "；").join(differences)
        elif not said:
            said = say("sent and received alike", "收发相符")
        if exchange.failed:
            said += say("; failed, by ", "；交换失败：") + " ".join(exchange.failed)
        return said

    def standing(self, exchange: Exchange) -> str:
        """How far it is proven."""
        from tallystick.audit.questions.holders import standing_of

        return standing_of(exchange).label(self._words.language)

    def last_use(self, holder: Holder) -> str:
        """The last use a holder recorded, "" where none was shown."""
        used = holder.holding.last_use if holder.holding is not None else ""
        return used and self._words.say(f"last used {used}", f"最近使用 {used}")

    def _missing(self, exchange: Exchange) -> str:
        """The half that was not shown, "" where both were."""
        key, say = exchange.key, self._words.say
        missing = key.receiver if exchange.received is None else key.sender
        name = self._words.bureau(missing)
        if exchange.sent is not None and exchange.received is not None:
            return ""
        if missing in self._gaps:
            return say(f"the other half is not covered: the ledger of {name}", f"另一方未覆盖：{name}的台账")
        if exchange.received is None:
            return say(f"no receipt by {name} was shown", f"未见{name}的接收记录")
        return say(f"no sending by {name} was shown", f"未见{name}的发送记录")
