"""docs/command_line.md: its commands run as they are written, one after another, and print what it quotes."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
NUMBER = re.compile(r"\b(\d+\.\d+)( s\b)?")  # a time where "s" follows
BLOCK = re.compile(r"^```(python|sh|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_page(command, here):
    pytest.importorskip("joblib")
    printed, commands = "", 0
    for kind, body in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "python":
            exec(compile(body, str(PAGE), "exec"), {})
        elif kind == "text":
            assert NUMBER.sub("N", printed) == NUMBER.sub("N", body)
            for (number, unit), (quoted, _) in zip(NUMBER.findall(printed), NUMBER.findall(body), strict=True):
                # Another processor adds up in another order, which may show in the last digit.
                last = 10.0 ** -len(quoted.partition(".")[2])
                assert unit or abs(float(number) - float(quoted)) < 1.5 * last, (number, quoted)
        else:
            printed = ""
            for line in body.splitlines():
                start, *arguments = re.split(r"^python -m fastbackprop ", line)
                assert (start, len(arguments)) == ("", 1)
                result = command(*shlex.split(arguments[0]))
                assert result.code == 0, result.err
                printed += result.out
                commands += 1
    assert commands == 8
    assert (here / "predicted.csv").read_text().splitlines()[0] == "probability,class"


@pytest.mark.parametrize("name", ["train", "sweep", "predict", "compare", "info"])
def test_every_option_is_on_the_page_or_in_the_help(name, command, capsys):
    with pytest.raises(SystemExit) as caught:
        command(name, "--help")
    assert caught.value.code == 0
    text = PAGE.read_text(encoding="utf-8")
    for option in re.findall(r"--[a-z-]+", capsys.readouterr().out):
        assert option == "--help" or option in text
