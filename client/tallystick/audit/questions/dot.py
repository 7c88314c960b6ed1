"""A trace as a graph for Graphviz: versions as boxes, the bureaus that hold them as ovals.

    tally trace SCJG-0012@2027-03 --format dot | dot -Tsvg

An arrow to an oval is an exchange, dashed where one side alone recorded it, or the halves differ. An arrow between
boxes is a derivation, by the word of who provided what it points to. What a ledger says stands between quotes, its
quotes and backslashes escaped, and no control character is let through.
"""

from __future__ import annotations

from collections.abc import Iterator

from tallystick.audit.finding import Standing
from tallystick.audit.questions.holders import either, standing_of
from tallystick.audit.questions.trace import Branch, Trace
from tallystick.audit.seen import Seen
from tallystick.audit.words import Words
from tallystick.core.safe_text import sanitise


def trace_dot(answer: Trace, seen: Seen, words: Words) -> Iterator[str]:
    """The graph, line by line."""
    yield "digraph trace {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    lines = [*_branch(answer.root, seen, words), *_edges(answer.root, into=True)]
    for branch in answer.made_from:
        lines += [*_edge(branch.name, answer.root.name), *_branch(branch, seen, words), *_edges(branch, into=False)]
    yield from dict.fromkeys(lines)
    yield "}"


def _branch(branch: Branch, seen: Seen, words: Words) -> Iterator[str]:
    """The boxes of a branch and of all that hangs from it, with who holds them."""
    if not branch.again:
        said = [branch.name]
        if branch.version is not None:
            said += [words.bureau(branch.version.bureau), branch.version.reference]
            recalled = branch.version.recalled
            said += [] if recalled is None else [words.say("recalled", "已撤回") + f" {recalled.reference}"]
        style = ' style="dashed"' if branch.version is None else ""
        yield f"  {_quoted(branch.name)} [label={_quoted(*said)}{style}];"
    for holder in branch.holders:
        oval = _quoted(f"{branch.name} #{holder.bureau}")  # no version has a # in its name
        yield f"  {oval} [shape=ellipse label={_quoted(words.bureau(holder.bureau))}];"
        for exchange in holder.exchanges:
            dashed = "" if standing_of(exchange) is Standing.PROVEN else ' style="dashed"'
            name = seen.exchange_name(exchange.key.id)
            yield f"  {_quoted(either(exchange).version)} -> {oval} [label={_quoted(name)}{dashed}];"
    for each in branch.next:
        yield from _branch(each, seen, words)


def _edges(branch: Branch, *, into: bool) -> Iterator[str]:
    for each in branch.next:
        yield from _edge(branch.name, each.name) if into else _edge(each.name, branch.name)
        yield from _edges(each, into=into)


def _edge(source: str, made: str) -> Iterator[str]:
    yield f"  {_quoted(source)} -> {_quoted(made)};"


def _quoted(*lines: str) -> str:
    safe = (sanitise(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(safe) + '"'
