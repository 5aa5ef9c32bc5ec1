"""What .ci/report checks. `probe` wraps the page into frames of a phone's and a desk's width and measures them; `check`
compares what was measured, and the tables as Chromium has them, with report.json."""

import html
import json
import struct
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

WIDTHS = [390, 1280]
SHOWN = 200

# The last frame is a page that does ask for something: were it not noticed, the others' silence would say nothing.
PROBE = """<!doctype html><title>probe</title><body>
%s<iframe id="canary" srcdoc="&lt;img src='http://canary.invalid/x.png'&gt;"></iframe>
<script>
addEventListener("load", () => setTimeout(() => {
  const measured = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, view = frame.contentWindow;
    measured[frame.id] = {
      width: view.innerWidth,
      scroll: page.documentElement.scrollWidth,
      requests: view.performance.getEntriesByType("resource").map(entry => entry.name),
      elsewhere: [...page.querySelectorAll("[src], [href]")].map(of => of.getAttribute("src") ?? of.getAttribute("href"))
        .filter(to => !to.startsWith("#") && to !== "data:,"),
      charts: [...page.querySelectorAll("section.chart")].map(chart => {
        const svg = chart.querySelector("svg"), box = svg.getBoundingClientRect();
        return { id: chart.id, role: svg.getAttribute("role"), width: box.width, height: box.height,
          named: page.getElementById(svg.getAttribute("aria-labelledby")).textContent,
          bars: [...svg.querySelectorAll("rect")].map(rect => {
            const { left, right, width, height } = rect.getBoundingClientRect();
            return { n: +rect.dataset.n, left: left - box.left, right: right - box.left, width, height,
              colour: view.getComputedStyle(rect).fill };
          }) };
      }),
      dom: frame.id === "desk" ? page.documentElement.outerHTML : "",
    };
  }
  const told = document.createElement("pre");
  told.id = "measured";
  told.textContent = JSON.stringify(measured);
  document.body.replaceChildren(told);
}, 500));
</script>
"""


def probe(page):
    text = html.escape(Path(page).read_text())
    frames = zip(["phone", "desk"], WIDTHS)
    print(PROBE % "".join(f'<iframe id="{name}" style="border: 0; height: 844px; width: {width}px" srcdoc="{text}"></iframe>\n'
                          for name, width in frames))


class Measured(HTMLParser):
    """What the probe wrote."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.text = False, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.inside = tag == "pre"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.text += data


class Page(HTMLParser):
    """The page's tables by the id of their section or of the heading before them, its key numbers, its headings."""

    def __init__(self, text):
        super().__init__()
        self.id, self.tables, self.numbers, self.headings, self.ids = None, {}, {}, [], Counter()
        self.table, self.cell, self.tile, self.small, self.scopes, self.captions = None, None, None, False, 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids[attributes["id"]] += 1
        if tag in ("section", "h2") and "id" in attributes:
            self.id = attributes["id"]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag == "div" and attributes.get("id", "").startswith("n-"):
            self.tile = attributes["id"][2:]
        if tag == "table":
            assert self.id not in self.tables, f"{self.id} has two tables"
            self.table = self.tables[self.id] = []
        self.captions += tag == "caption"
        if tag == "tr":
            self.table.append([])
        if tag in ("th", "td"):
            self.table[-1].append("")
            self.cell = True
            assert tag == "td" or attributes.get("scope") in ("col", "row"), f"a heading of {self.id} has no scope"
        if tag == "b" and self.tile:
            self.numbers[self.tile] = ""
        self.small = self.small or tag == "small"

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.cell = None
        if tag in ("b",):
            self.tile = None
        if tag == "small":
            self.small = False

    def handle_data(self, data):
        if self.tile in self.numbers:
            self.numbers[self.tile] += data
        elif self.cell and not self.small:
            self.table[-1][-1] += data


def number(text):
    return int(text.replace("\u202f", ""))


def same(what, seen, wanted):
    assert seen == wanted, f"{what}: the page shows {seen}, report.json says {wanted}"


def added(parts):
    total = Counter()
    for part in parts:
        total.update(part)
    return total


def stacked(page, chart, wanted):
    """A chart's table: a row a bar, a column a licence, and the sum."""
    heading, *rows = page.tables[chart]
    seen = {row[0]: dict(zip(heading[1:], map(number, row[1:]))) for row in rows}
    licences = set().union(*wanted.values())
    for name, parts in wanted.items():
        same(f"{chart}, {name}", seen[name], {**{licence: parts.get(licence, 0) for licence in licences}, "All": sum(parts.values())})
    same(chart, len(rows), len(wanted))
    return [[parts.get(licence, 0) for licence in heading[1:-1]] for parts in (wanted[row[0]] for row in rows)]


def drawn(charts, chart, rows, where):
    """A chart's bars: as long as their numbers, end to end, high enough to be seen, and coloured."""
    chart = next(each for each in charts if each["id"] == chart)
    what = f"{chart['id']} on {where}"
    assert chart["role"] == "img" and chart["named"], f"{what} has no name"
    assert chart["width"] > 300 and chart["height"] > 30, f"{what} is not drawn"
    parts = [n for row in rows for n in row if n]
    same(f"the bars of {what}", [bar["n"] for bar in chart["bars"]], parts)
    pixel = chart["width"] / max(map(sum, rows))
    bars = iter(chart["bars"])
    for row in rows:
        end = 0
        for n in filter(None, row):
            bar = next(bars)
            assert bar["width"] > 0 and bar["height"] >= 8, f"{what}: a bar of {n} is not to be seen"
            assert abs(bar["width"] - n * pixel) < 0.5, f"{what}: {n} is {bar['width']} wide, not {n * pixel}"
            assert abs(bar["left"] - end) < 0.5, f"{what}: a part does not begin where the last one ends"
            assert bar["colour"] not in ("none", "rgb(0, 0, 0)"), f"{what}: a bar without its colour"
            end = bar["right"]


def check(folder, seen):
    report = json.loads(Path(folder, "report.json").read_text())
    measured = json.loads(Measured(Path(seen).read_text()).text)
    summary, findings = report["summary"], report["findings"]
    page = Page(measured["desk"]["dom"])
    orders = [(earlier, later) for earlier, later in zip(page.headings, page.headings[1:]) if later > earlier + 1]
    assert page.headings[0] == 1 and page.headings.count(1) == 1 and not orders, f"headings: {page.headings}"
    same("ids that are there twice", [name for name, times in page.ids.items() if times > 1], [])
    same("captions", page.captions, len(page.tables))

    believed = [account for account in summary["accounts"] if "incomplete" not in account]
    wanted = {
        "findings": len(findings),
        **{effect: summary["effects"][effect] for effect in ("closes_access", "saves_money", "tidies_up", "informs")},
        **{action: summary["proposals"][action] for action in ("removal", "reclaim")},
        "accounts": len(summary["accounts"]),
        "users": sum(account["users"] for account in believed),
        "roster": summary["roster"]["rows"],
        "spared": sum(summary["exempted"].values()),
    }
    same("the key numbers", {name: number(text) for name, text in page.numbers.items()}, wanted)

    rules = Counter(finding["rule"] for finding in findings)
    tables = [name for name in page.tables if name.startswith("rule-")]
    same("the first rule", tables[0], "rule-orphan")
    same("the rules", {name[5:]: len(page.tables[name]) - 1 for name in tables}, {rule: min(n, SHOWN) for rule, n in rules.items()})
    for name in tables:
        of_rule = [finding for finding in findings if finding["rule"] == name[5:]][:SHOWN]
        for row, finding in zip(page.tables[name][1:], of_rule):
            who = finding.get("email") or finding.get("user") or "the whole account"
            effect = finding["effect"].replace("_", " ")
            account, licence = finding.get("accountName", "–"), finding.get("licence", "–")
            same(name, row, [who, account, licence, finding["reason"], effect, finding.get("proposal", "nothing")])

    kinds = {kind: added(a["licences"] for a in believed if a["type"] == kind) for kind in {a["type"] for a in believed}}
    departments = sorted(summary["departments"].items(), key=lambda entry: (-sum(entry[1].values()), entry[0]))
    first, others = dict(departments[:12]), departments[12:]
    first[f"other ({len(others)} departments)"] = added(licences for _, licences in others)
    by_rule = [[number(row[1])] for row in page.tables["by-rule"][1:]]
    same("by-rule", sorted(n for row in by_rule for n in row if n), sorted(rules.values()))
    rows = {"by-type": stacked(page, "by-type", kinds), "by-department": stacked(page, "by-department", first), "by-rule": by_rule}

    shown = {row[0]: list(map(number, row[2:6])) for row in page.tables["accounts"][1:]}
    same("accounts", shown, {a["name"]: [a[n] for n in ("users", "registered", "suspended", "unregistered")] for a in summary["accounts"]})
    listings = {row[0]: row[7] for row in page.tables["accounts"][1:]}
    same("listings", listings, {a["name"]: "not believed" if "incomplete" in a else "complete" for a in summary["accounts"]})
    effects = {row[0].replace(" ", "_"): number(row[2]) for row in page.tables["savings"][1:]}
    same("effects", effects, summary["effects"])

    assert measured["canary"]["requests"], "a request would not be noticed"
    for where, width in zip(["phone", "desk"], WIDTHS):
        view = measured[where]
        same(f"width of {where}", view["width"], width)
        assert view["scroll"] <= width, f"{where}: the page is {view['scroll']} wide and scrolls sideways"
        same(f"requests of {where}", view["requests"] + view["elsewhere"], [])
        for chart in rows:
            drawn(view["charts"], chart, rows[chart], where)
    print(f"the page shows {len(findings)} findings in {len(tables)} tables, {len(rows)} charts and {len(shown)} accounts")


def screenshot(path, width, height):
    """A PNG of that size that is not all of one colour."""
    picture = Path(path).read_bytes()
    same(path, struct.unpack(">II", picture[16:24]), (int(width), int(height)))
    assert len(picture) > 20_000, f"{path} is empty"


{"probe": probe, "check": check, "screenshot": screenshot}[sys.argv[1]](*sys.argv[2:])
