"""How a page looks: at a desk, on a phone, in the dark, and in black on white A4. Nothing is fetched from anywhere."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5a636e; --line: #d5d9de; --faint: #f3f5f7; --paper: #fff;
  --link: #1d4f91; --serious: #a3211d; --warning: #8a5a00; --note: #4a5763;
  --a: #2f5d8c; --b: #8fb3d6; --c: #b9862c; --d: #a3211d; --heat: 47, 93, 140; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --soft: #9aa4ae; --line: #3a4149;
  --faint: #20252a; --paper: #15181b; --link: #8fb8ea; --serious: #f08a80; --warning: #e0b25c; --note: #a9b4bf;
  --a: #6fa3d8; --b: #3f6488; --c: #c99a45; --d: #d9655b; --heat: 111, 163, 216; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; font-size: 15px; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei",
  "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.3; font-weight: 600; }
h1 { font-size: 1.75rem; margin: 0 0 .35rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
p { margin: .5rem 0; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:target { background: var(--faint); outline: .4rem solid var(--faint); }
code, .ref, .id {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
td, th, dd, li, code, .ref, .said { unicode-bidi: isolate; }
.ref, .id { white-space: nowrap; }
.caption, .soft, .none { color: var(--soft); }
.caption { font-size: .9rem; max-width: 48rem; }
.cover p { color: var(--soft); margin: .2rem 0; max-width: 48rem; }
.cover .said { color: var(--ink); }
.gap { border-left: 3px solid var(--serious); padding-left: .75rem; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: 1.75rem 0; padding: 0; list-style: none; }
.counts b { display: block; font-size: 1.75rem; line-height: 1.2; font-weight: 600;
  font-variant-numeric: tabular-nums; }
nav ol { columns: 2; column-gap: 2.5rem; padding-left: 1.4rem; margin: .5rem 0 0; }
.wide { overflow-x: auto; margin: .75rem 0 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem .8rem .38rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; }
th:last-child, td:last-child { padding-right: 0; }
th, td, dt { overflow-wrap: break-word; word-break: keep-all; }
.again { visibility: hidden; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.n { white-space: normal; }
.mark { color: var(--soft); font-size: .85em; }
.serious { color: var(--serious); } .warning { color: var(--warning); } .note { color: var(--note); }
.finding { padding: .5rem 0 .55rem; border-bottom: 1px solid var(--line); } .finding p { margin: 0; }
.finding .beside { display: flex; flex-wrap: wrap; gap: 0 1.25rem; font-size: .87rem; color: var(--soft); }
.finding .id { color: var(--soft); } .finding b { font-weight: 600; color: var(--ink); }
.weight { white-space: nowrap; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0 0; font-size: .9rem; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; }
.notes { list-style: none; padding: 0; font-size: .9rem; }
.notes h3 { margin: 1.1rem 0 .2rem; font-size: .95rem; } .notes p { margin: .15rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .9rem; color: var(--soft); margin: .3rem 0; }
svg { display: block; } svg text { font: inherit; fill: var(--ink); }
svg.bar { width: 100%; min-width: 8rem; height: .8rem; margin-top: .35rem; }
.legend svg { width: .8rem; height: .8rem; }
.legend span { display: inline-flex; align-items: center; gap: .4rem; }
.s0 { fill: var(--a); } .s1 { fill: var(--b); } .s2 { fill: var(--c); } .s3 { fill: var(--d); }
.matrix { width: auto; } .matrix th, .matrix td { padding: .35rem .6rem; border: 1px solid var(--line); }
.matrix thead th { writing-mode: vertical-rl; text-align: right; vertical-align: bottom; white-space: nowrap; }
.matrix thead th:first-child { writing-mode: horizontal-tb; text-align: left; white-space: normal; }
.matrix td:first-child { white-space: nowrap; } .matrix a { color: inherit; }
.graph svg { font-size: 12px; max-width: 100%; min-width: 40rem; height: auto; }
.graph .box { fill: var(--paper); stroke: var(--soft); }
.graph .own .box { stroke: var(--ink); stroke-width: 2; } .graph .unknown .box { stroke-dasharray: 4 3; }
.graph .small { fill: var(--soft); font-size: 11px; } .graph .bad { fill: var(--serious); }
.graph path { fill: none; stroke: var(--soft); } .graph .tip { fill: var(--soft); stroke: none; }
.form td, .form th { border: 1px solid var(--soft); padding: .5rem .7rem; }
.form th { width: 9.5rem; color: var(--ink); vertical-align: top; font-weight: 600; }
.form { margin-top: 1.25rem; } .form .blank { height: 5.5rem; } .rows .blank { min-width: 15rem; }
.form table { font-size: .88rem; }
.form table th, .form table td { border: 0; border-bottom: 1px solid var(--line); padding: .2rem .6rem .2rem 0; }
.form td.sign { vertical-align: bottom; color: var(--soft); }
.form td:last-child, .form th:last-child { padding-right: .7rem; }
@media screen and (max-width: 40rem) { html { font-size: 16px; } body { padding: 1.25rem 1rem 3rem; }
  nav ol { columns: 1; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .35rem; } h1 { font-size: 1.5rem; }
  .rows thead { display: none; } .rows, .rows tbody { display: block; } .again { visibility: visible; }
  .rows tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .rows td { display: flow-root; padding: .05rem 0 .05rem 9.25rem; border: 0; text-align: left; white-space: normal; }
  .rows td::before { content: attr(data-label); float: left; width: 8.7rem;
    margin-left: -9.25rem; color: var(--soft); }
  .rows td:first-child { padding-left: 0; font-weight: 600; } .rows td:first-child::before { content: none; }
  .form, .form tbody, .form tr, .form > tbody > tr > td, .form > tbody > tr > th { display: block; width: 100%; }
  .form .blank { height: 4rem; } }
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-center { content: counter(page) " / " counter(pages);
  font: 9pt sans-serif; color: #555; } }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --faint: #fff; --paper: #fff; --link: #000;
  --serious: #000; --warning: #000; --note: #000; --a: #222; --b: #888; --c: #ccc; --d: #555; --heat: 0, 0, 0; }
  html { font-size: 9.5pt; } body { max-width: none; margin: 0; padding: 0; line-height: 1.45; }
  h2, h3, .caption, .legend, thead { break-after: avoid; } .caption, .legend { break-inside: avoid; }
  h2 { margin-top: 9mm; }
  tr, .finding, .notes p, .graph, .counts { break-inside: avoid; } thead { display: table-header-group; }
  .wide { overflow: visible; } .graph svg { min-width: 0; }
  .weight.serious { text-decoration: underline; } svg.bar { min-width: 4rem; }
  .matrix td { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .form .blank { height: 24mm; } }
"""
