"""asv's pages in a real browser that reaches this machine alone: the grid shows, and a graph has its points drawn."""

import argparse
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

pytest.importorskip("asv")
from scripts.publishing import publish

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CONFIGURATION = {
    "version": 1, "project": "sums", "repo": ".", "branches": ["main"], "environment_type": "existing",
    "benchmark_dir": "benchmarks",
}  # fmt: skip
BENCHMARKS = """
from pathlib import Path

class Sums:
    params = ([10, 1000],)
    param_names = ("n",)
    def track_sum(self, n):
        return sum(range(n)) + float(Path(__file__).with_name('commit').read_text())
"""
# Colored pixels of the canvas around each point of the graph's data, once it is there; gridlines and frame are grey.
PROBE = """<script>
window.addEventListener("load", () => {
    const look = setInterval(() => {
        const plot = $("#main-graph").data("plot");
        if (!plot)
            return;
        clearInterval(look);
        const context = plot.getCanvas().getContext("2d"), found = [];
        for (const series of plot.getData())
            for (const [x, y] of series.data) {
                const at = plot.pointOffset({x: x, y: y});
                const pixels = context.getImageData(at.left - 4, at.top - 4, 9, 9).data;
                let colored = 0;
                for (let i = 0; i < pixels.length; i += 4)
                    colored += pixels[i + 3] > 100 && Math.abs(pixels[i] - pixels[i + 2]) > 60;
                found.push(colored);
            }
        document.body.setAttribute("data-points", JSON.stringify(found));
    }, 200);
});
</script>"""


@pytest.fixture
def browser(tmp_path):
    """A function that returns a page's elements as a browser has them after its scripts ran."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"NOT LOOKED AT: none of {', '.join(BROWSERS)} is on the path")

    def elements(address):
        command = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=20000", "--window-size=1200,800", "--dump-dom", address,
        ]  # fmt: skip
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=180, check=True)
        return process.stdout

    return elements


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A suite beside three commits that asv has measured."""
    home = tmp_path_factory.mktemp("measured")
    suite = home / "suite"
    (suite / "benchmarks").mkdir(parents=True)
    (suite / "asv.conf.json").write_text(json.dumps(CONFIGURATION))
    (suite / "benchmarks" / "__init__.py").touch()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    asv = [sys.executable, "-m", "asv"]
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}

    def run(*command, **options):
        done = subprocess.run(command, cwd=suite, env={**environment, **options}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    run(*git, "init", "-q", "-b", "main")
    run(*asv, "machine", "--yes")
    (suite / "benchmarks" / "bench.py").write_text(BENCHMARKS)
    for commit in range(3):
        (suite / "benchmarks" / "commit").write_text(str(commit))  # a change of the code would be another benchmark to asv
        run(*git, "add", "--all")
        run(*git, "commit", "-q", "-m", str(commit), GIT_COMMITTER_DATE=f"2024-01-0{1 + commit}T12:00:00Z")
        sha = run(*git, "rev-parse", "HEAD")
        run(*asv, "run", "-E", f"existing:{sys.executable}", "--set-commit-hash", sha, "--quick")
    return suite


@pytest.fixture
def served():
    """A function that serves a folder on this machine, and returns its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def serve(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_pages_work_without_a_network(browser, measured, served, tmp_path, monkeypatch, capfd):
    if not shutil.which("npm"):
        pytest.skip("NOT LOOKED AT: npm, which fetches the libraries of the pages, is not on the path")
    pages = tmp_path / "pages"
    monkeypatch.setattr(publish, "SUITE", measured)
    code = publish.run(argparse.Namespace(output=pages))
    said = capfd.readouterr().out
    if code == 1 and "npm could not fetch" in said:
        pytest.skip(f"NOT LOOKED AT: {said.splitlines()[-1]}")
    assert code == 0 and "They need no network." in said
    address = served(pages)

    grid = browser(address)
    assert re.search(r'class="benchmark-text"[^>]*>\s*Sums\.track_sum', grid)
    assert grid.count('class="flot-base"') >= 1, "no graph in the grid"

    # Under another name: the browser may have kept what it saw.
    (pages / "probed.html").write_text((pages / "index.html").read_text().replace("</body>", f"{PROBE}</body>"))
    graph = browser(address + "probed.html#bench.Sums.track_sum")
    points = re.search(r'data-points="([^"]*)"', graph)
    assert points, "the page's scripts drew no graph"
    drawn = json.loads(points[1])
    assert len(drawn) == 6, "a point for each of three commits and two parameters"
    assert min(drawn) >= 10, f"colored pixels at the points: {drawn}"


def test_pages_without_libraries_show_nothing(measured, browser, served, tmp_path, monkeypatch):
    """What the other test sees is due to the libraries: without them the browser shows neither."""
    pages = tmp_path / "pages"
    monkeypatch.setattr(publish, "SUITE", measured)
    monkeypatch.setattr(publish.shutil, "which", lambda name: None)
    assert publish.run(argparse.Namespace(output=pages)) == 1
    assert 'class="flot-base"' not in browser(served(pages))


def test_nothing_measured_is_said(tmp_path, monkeypatch, capfd):
    (tmp_path / "asv.conf.json").write_text(json.dumps(CONFIGURATION))
    monkeypatch.setattr(publish, "SUITE", tmp_path)
    assert publish.run(argparse.Namespace(output=tmp_path / "pages")) == 2
    assert "has it measured anything" in capfd.readouterr().err
