"""The blocks of figures in README and docs, each between two markers, and the pictures that they show."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts import ROOT
from scripts.drawing import captions, ranks, tables
from scripts.measuring import records

PAGES = ("README.md", "docs/figures.md", "docs/many_machines.md")
MARKED = re.compile(r"(<!-- figures: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
# The topics of each picture.
PICTURES = {
    "peers": ("peers",),
    "ratios": ("trainings", "layers", "products"),
    "scaling": ("scaling",),
    "limits": ("limits", "products"),
}
IDENTIFIED = re.compile(r"sha256:[0-9a-f]{64}")

DRAWN: dict[str, Callable[[Any], tables.Table]] = {**tables.DRAWN, "ranks": ranks.ranks}

Records = Mapping[str, Mapping[str, Any]]


class Block(NamedTuple):
    """What stands between the markers of a name: pictures, and a topic's table with its machine above it.

    `beside`: another table of a topic whose machine stands elsewhere on the page.
    """

    topic: str
    pictures: tuple[str, ...] = ()
    of_readme: bool = False
    beside: bool = False


BLOCKS = {
    "readme": Block("trainings", ("peers",), of_readme=True),
    "trainings": Block("trainings", ("ratios",)),
    "layers": Block("layers"),
    "gradients": Block("gradients"),
    "products": Block("products"),
    "gemm": Block("gemm"),
    "limits": Block("limits", ("limits",)),
    "scaling": Block("scaling", ("scaling",)),
    "peers": Block("peers", ("peers",)),
    "batches": Block("batches"),
    "ranks": Block("ranks"),
    **{name: Block("ranks", beside=True) for name in ranks.MORE},
}


def read_all() -> dict[str, dict[str, Any]]:
    missing = [str(records.path(topic)) for topic in DRAWN if not records.path(topic).is_file()]
    if missing:
        raise SystemExit(f"scripts/figures: not measured yet: {', '.join(missing)}; CONTRIBUTING.md has the commands")
    return {topic: records.read(topic) for topic in DRAWN}


def picture(name: str) -> Path:
    return records.FOLDER / f"{name}.svg"


def text(name: str, every: Records, page: str) -> str:
    """A block of a page."""
    block = BLOCKS[name]
    record = every[block.topic]
    if block.beside:
        return "\n".join(["", *ranks.MORE[name](record["rows"]).lines(), "", ""])
    folder = (ROOT / page).parent
    shown = [
        f"![{getattr(captions, each)(every)}]({picture(each).relative_to(folder).as_posix()})\n" for each in block.pictures
    ]
    machine = captions.machine_lines(record)
    if block.of_readme:
        table = tables.of_readme(record["rows"])
        machine = machine[:2]
        after = [f"\n{captions.not_faster(every)}"]
    else:
        table = DRAWN[block.topic](record["rows"])
        after = []
    caution = captions.caution(record)
    shown += [f"{captions.origin(every[topic])}\n" for each in block.pictures for topic in PICTURES[each] if block.of_readme]
    lines = ["", *shown, "```text", *machine, "```", "", *([caution, ""] if caution else []), *table.lines(), *after, ""]
    return "\n".join(lines) + "\n"


def drawn(page: str, source: str, every: Records) -> str:
    """The page with its blocks as they are to be; LookupError for a name that nothing draws."""

    def block(match: re.Match[str]) -> str:
        if match[2] not in BLOCKS:
            raise LookupError(f"{page}: nothing draws figures: {match[2]}; known are {', '.join(BLOCKS)}")
        return match[1] + text(match[2], every, page) + match[4]

    return MARKED.sub(block, source)


def identity(name: str, every: Records) -> str:
    """What a picture keeps of the data that it was drawn from."""
    data = json.dumps([every[topic] for topic in PICTURES[name]], sort_keys=True)
    return f"sha256:{hashlib.sha256(data.encode()).hexdigest()}"


def _kept(name: str) -> str | None:
    try:
        found = IDENTIFIED.search(picture(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found[0] if found else None


def _source(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def differences(every: Records) -> Iterator[str]:
    """A sentence about each table and each picture that is not of these data."""
    names = []
    for page in PAGES:
        source = _source(page)
        for kept, now in zip(MARKED.finditer(source), MARKED.finditer(drawn(page, source, every)), strict=True):
            names.append(kept[2])
            if kept[0] != now[0]:
                yield f"{page}: the figures {kept[2]} are not those of docs/figures"
    for name in BLOCKS:
        if names.count(name) != 1:
            yield f"{' and '.join(PAGES)} have {names.count(name)} blocks of the figures {name}, instead of one"
    for name in PICTURES:
        if _kept(name) != identity(name, every):
            yield f"{picture(name).relative_to(ROOT)} was not drawn from what docs/figures holds"


def write_pages(every: Records) -> None:
    for page in PAGES:
        source = _source(page)
        (ROOT / page).write_text(drawn(page, source, every), encoding="utf-8")


def write_pictures(every: Records) -> None:
    from scripts.drawing.pictures import write  # matplotlib is not needed to draw tables, nor to check

    for name in PICTURES:
        write(name, every, picture(name), identity(name, every))
