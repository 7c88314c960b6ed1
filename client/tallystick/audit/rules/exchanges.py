"""Rules on double entry. A claim is not a proof: what one side alone says is called that."""

from __future__ import annotations

from tallystick.audit.finding import Found, Standing
from tallystick.audit.rule import Findings, rule
from tallystick.audit.seen import Seen
from tallystick.audit.views.exchanges import Exchange


@rule(
    named="有收无发",
    en="{other} recorded receiving exchange {exchange} from {bureau}, whose ledger shows no sending up to #{size}",
    zh="{other} 称已接收 {bureau} 发送的交换 {exchange}，{bureau} 的台账至 #{size} 无发送记录",
    standing=Standing.ONE_SIDE,
)
def received_not_sent(exchange: Exchange, seen: Seen) -> Findings:
    """The consumer's word: a citation alone, without the provider's own signature on it, proves nothing."""
    received = exchange.received
    if exchange.sent is None and received is not None:
        facts = {"other": received.bureau, "exchange": seen.exchange_name(exchange.key.id)}
        size = seen.as_of.sizes.get(exchange.key.sender, 0)
        last = {"size": max(size - 1, 0)}
        yield Found(exchange.key.sender, (received.reference,), received.at_us, {**facts, **last})


@rule(
    named="接收无凭",
    en="{bureau} recorded receiving exchange {exchange} from {other} and cites no sending, though there was one",
    zh="{bureau} 记录接收 {other} 发送的交换 {exchange} 时未引用发送条目，而对方已有发送记录",
)
def unsupported_receipt(exchange: Exchange, seen: Seen) -> Findings:
    """Where the sending was there to be cited: of halves brought in from elsewhere nobody can tell."""
    sent, received = exchange.sent, exchange.received
    if sent is None or received is None or sent.imported or received.imported:
        return
    if received.cites is None and sent.at_us <= received.at_us:
        facts = {"other": sent.bureau, "exchange": seen.exchange_name(exchange.key.id)}
        yield Found(received.bureau, (received.reference, sent.reference), received.at_us, facts)


@rule(
    named="收发不符",
    en="{other} says it sent exchange {exchange} with {sent}; {to} says it received {received};"
    " {bureau} must dispute it",
    zh="交换 {exchange}：{other} 称发送的是{sent}，{to} 称接收的是{received}，应由 {bureau} 提出校核",
)
def halves_differ(exchange: Exchange, seen: Seen) -> Findings:
    """Two signed claims differ: neither is convicted. Who received must dispute, or who sent and now says otherwise."""
    sent, received, differences = exchange.sent, exchange.received, exchange.differences
    if sent is not None and received is not None and differences:
        yield Found(
            exchange.disputing,
            (sent.reference, received.reference),
            max(sent.at_us, received.at_us),
            {
                "other": sent.bureau,
                "to": received.bureau,
                "exchange": seen.exchange_name(exchange.key.id),
                "sent": tuple((difference.name, difference.sent) for difference in differences),
                "received": tuple((difference.name, difference.received) for difference in differences),
            },
        )
