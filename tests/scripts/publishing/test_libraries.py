"""What asv's page loads from elsewhere: each address names a package, and the page is rewritten to files beside it."""

import base64
import hashlib
import sys
from pathlib import Path

import pytest

from scripts.publishing.libraries import FOLDER, LibraryError, beside, references
from scripts.publishing.publish import complete

PAGE = """<head>
<script src="https://code.example/jquery-3.3.1.min.js" integrity="{jquery}" crossorigin="anonymous" onerror="failed()"></script>
<script src="https://files.example/ajax/libs/flot/0.8.3/jquery.flot.min.js" integrity="sha512-AAAA"></script>
<link rel="stylesheet" href="https://all.example/npm/bootstrap@3.1.1/dist/css/bootstrap.min.css" crossorigin="anonymous">
<script src="asv.js"></script>
<a href="https://home.example/">asv</a>
</head>"""
FILES = {
    "jquery": {"dist/jquery.min.js": "jquery", "dist/jquery.js": "long", "old/jquery.min.js": "old"},
    "flot": {"jquery.flot.js": "flot"},
    "bootstrap": {"dist/css/bootstrap.min.css": "style"},
}


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    expected = "sha256-" + base64.b64encode(hashlib.sha256(b"jquery").digest()).decode()
    (folder / "index.html").write_text(PAGE.format(jquery=expected))
    return folder


@pytest.fixture
def npm(tmp_path):
    """A stand-in that installs what FILES says, and counts how often it was called."""
    program = tmp_path / "npm"
    program.write_text(
        f"""#!{sys.executable}
import sys
from pathlib import Path
prefix = Path(sys.argv[sys.argv.index("--prefix") + 1])
with open({str(tmp_path / "calls")!r}, "a") as calls:
    print(*[argument for argument in sys.argv[2:] if "@" in argument], file=calls)
for package, files in {FILES!r}.items():
    for name, text in files.items():
        path = prefix / "node_modules" / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
"""
    )
    program.chmod(0o755)
    return str(program)


def test_every_address_of_the_installed_page_names_a_package():
    asv = pytest.importorskip("asv")
    page = (Path(asv.__file__).parent / "www" / "index.html").read_text()
    found = [*references(page)]
    assert {"jquery", "flot", "bootstrap"} <= {reference.package for reference in found}
    assert all(reference.address in page and reference.version[0].isdigit() for reference in found)


def test_an_address_that_names_no_package_is_named():
    with pytest.raises(LibraryError, match=r"no package is known for //example/graphs\.js"):
        [*references('<script src="//example/graphs.js"></script>')]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a script that names its interpreter")
def test_the_page_names_files_beside_it(pages, npm, tmp_path):
    beside(pages, tmp_path / "fetched", npm)
    page = (pages / "index.html").read_text()
    assert "https://home.example/" in page, "a link is no library"
    assert "example/" not in page.replace("https://home.example/", "")
    assert "integrity" not in page and "crossorigin" not in page
    assert 'onerror="failed()"' in page
    loaded = {reference: (pages / reference).read_text() for reference in (f"{FOLDER}/{name}" for name in (
        "jquery-3.3.1.min.js", "jquery.flot.min.js", "bootstrap.min.css"
    ))}  # fmt: skip
    assert all(f'"{name}"' in page for name in loaded)
    assert [*loaded.values()] == ["jquery", "flot", "style"]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a script that names its interpreter")
def test_what_is_there_is_not_fetched_again(pages, npm, tmp_path):
    page = (pages / "index.html").read_text()
    for _ in range(2):
        (pages / "index.html").write_text(page)
        beside(pages, tmp_path / "fetched", npm)
    assert (tmp_path / "calls").read_text() == "bootstrap@3.1.1 flot@0.8.3 jquery@3.3.1\n"


def test_without_npm_the_command_says_that_the_pages_need_a_network(pages, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    before = (pages / "index.html").read_text()
    assert complete(pages, tmp_path / "fetched") == 1
    assert "They need a network to show anything: npm is not on the path." in capsys.readouterr().out
    assert (pages / "index.html").read_text() == before


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a script that names its interpreter")
def test_what_npm_says_is_passed_on(pages, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no way there >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(LibraryError, match=r"npm could not fetch bootstrap@3\.1\.1, .*: no way there"):
        beside(pages, tmp_path / "fetched", str(npm))
