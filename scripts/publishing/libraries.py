"""The libraries that asv's page loads from elsewhere: fetched by npm, put beside the page, and named there."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import NamedTuple

FOLDER = "libraries"  # beside index.html

# Packages of npm under other names than in the page's addresses.
PACKAGES = {"stupidtable": "stupid-table-plugin"}
# Versions that npm lacks, and the nearest that it has.
VERSIONS = {("stupid-table-plugin", "1.0.1"): "1.1.3"}

_ADDRESSES = (
    re.compile(r"/npm/(?P<name>[\w.-]+)@(?P<version>[\d.]+)/"),  # .../npm/NAME@VERSION/FOLDERS/FILE
    re.compile(r"/libs/(?P<name>[\w.-]+)/(?P<version>[\d.]+)/"),  # .../libs/NAME/VERSION/FILE
    re.compile(r"/(?P<name>[a-z]+)-(?P<version>[\d.]+\d)\.(?:min\.)?js$"),  # .../NAME-VERSION.min.js
)


class LibraryError(Exception):
    """A library that could not be had; the message is one line."""


class Reference(NamedTuple):
    """One library's file that the page loads: the tag as it stands there, and what it names."""

    tag: str
    address: str
    integrity: str
    package: str
    version: str

    @property
    def file(self) -> str:
        return PurePosixPath(self.address).name


class _Page(HTMLParser):
    """Collects the tags that load scripts and styles from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link"):
            self.tags.append((self.get_starttag_text() or "", dict(attrs)))


def references(page: str) -> Iterator[Reference]:
    """What the page loads from elsewhere; LibraryError where an address does not name a package."""
    for tag, attributes in _Page(page).tags:
        address = attributes.get("src") or attributes.get("href") or ""
        if not re.match(r"(https?:)?//", address):
            continue
        found = next(filter(None, (pattern.search(address) for pattern in _ADDRESSES)), None)
        if found is None:
            raise LibraryError(f"no package is known for {address}")
        package = PACKAGES.get(found["name"], found["name"])
        version = VERSIONS.get((package, found["version"]), found["version"])
        yield Reference(tag, address, attributes.get("integrity") or "", package, version)


def beside(pages: Path, fetched: Path, npm: str) -> None:
    """Fetch what ``pages``/index.html loads from elsewhere into ``fetched``, unless it is there; copy it; rewrite the page."""
    index = pages / "index.html"
    page = index.read_text(encoding="utf-8")
    wanted = [*references(page)]
    _fetch({(reference.package, reference.version) for reference in wanted}, fetched, npm)
    (pages / FOLDER).mkdir(exist_ok=True)
    for reference in wanted:
        source = _file(fetched / "node_modules" / reference.package, reference)
        shutil.copyfile(source, pages / FOLDER / reference.file)
        page = page.replace(reference.tag, _rewritten(reference))
    index.write_text(page, encoding="utf-8")


def _rewritten(reference: Reference) -> str:
    """The tag with the local address, without what only files from elsewhere need."""
    tag = reference.tag.replace(reference.address, f"{FOLDER}/{reference.file}")
    return re.sub(r'\s(integrity|crossorigin|referrerpolicy)="[^"]*"', "", tag)


def _fetch(packages: set[tuple[str, str]], fetched: Path, npm: str) -> None:
    """Install the packages with npm, unless they are there: a mark in each one's folder says in which version it is."""
    marks = {f"{name}@{version}": fetched / "node_modules" / name / f".{version}" for name, version in sorted(packages)}
    if all(mark.is_file() for mark in marks.values()):
        return
    fetched.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(fetched), "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", *marks]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        reason = (process.stderr.strip() or process.stdout.strip() or "it says nothing").splitlines()[0]
        raise LibraryError(f"npm could not fetch {', '.join(marks)}: {reason}")
    for mark in marks.values():
        mark.touch()


def _file(package: Path, reference: Reference) -> Path:
    """The file in the package whose content the page expects; where none has it, the one of its name, minified or not."""
    names = (reference.file, reference.file.replace(".min.", "."), re.sub(r"-[\d.]+\d(?=\.)", "", reference.file))
    for name in names:
        candidates = sorted(package.rglob(name), key=lambda path: len(path.parts))
        for path in candidates:
            if _fits(path, reference.integrity):
                return path
        if candidates:
            # npm has checked the package, and this very file is another build, or of another version, than the page's.
            return candidates[0]
    raise LibraryError(f"{reference.package} {reference.version} holds no {reference.file}")


def _fits(path: Path, integrity: str) -> bool:
    algorithm, _, digest = integrity.partition("-")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return False
    return base64.b64encode(hashlib.new(algorithm, path.read_bytes()).digest()).decode() == digest
