"""What the documentation says is so: its blocks run, its commands, options, targets and variables exist."""

import ast
import re
import shlex
import subprocess
import sys

import pytest
from blocks import blocks

from elsa_nb import cli
from elsa_nb.store import ROOT

PAGES = sorted((ROOT / "docs" / "pages").glob("*.md"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in [*PAGES, ROOT / "README.md"]}
LONGEST_EXAMPLE = 40  # lines of code, of what somebody writes to extend the package


def with_code():
    """Yield the pages that have blocks to run; one of them loads torch."""
    for page in (path.name for path in PAGES if any(block.runs for block in blocks(TEXTS[path.name]))):
        yield pytest.param(page, marks=pytest.mark.slow if page == "own-encoder.md" else ())


@pytest.mark.parametrize("page", list(with_code()))
def test_the_blocks_of_a_page_run_in_their_order(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in filter(lambda each: each.runs, blocks(TEXTS[page])):
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, page, "exec"), names)
        for command in block.commands:
            program, *arguments = shlex.split(command)
            assert program == "elsa-nb", f"{page}: {command!r} is neither run nor marked as not run"
            assert cli.main(arguments) == 0, f"{page}: {command!r}: {capsys.readouterr().err}"
        printed = capsys.readouterr().out
        if block.printed:
            assert printed == block.printed, f"{page}, line {block.line}"


def test_blocks_are_code_that_is_run_or_say_why_not():
    known = {"python", "sh", "text", "toml"}
    for page, text in TEXTS.items():
        if page != "README.md":  # which shows them plainly
            assert text.count("\n```") == 2 * (len(blocks(text)) + sum(bool(b.printed) for b in blocks(text))), page
            assert {block.language for block in blocks(text)} <= known, page
        for block in blocks(text):
            if block.language == "python":
                ast.parse(block.text)
    assert sum(block.runs for text in TEXTS.values() for block in blocks(text)) > 20


def test_what_one_writes_to_extend_the_package_is_short():
    for page in ("own-encoder.md", "own-strategy.md", "own-experiment.md"):
        (own,) = [block for block in blocks(TEXTS[page]) if block.title.endswith(".py")]
        code = [line for line in own.text.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(code) < LONGEST_EXAMPLE, page


def parsers():
    """Return the parser of each command, {"": of all, "label": ..., "labels import": ...}."""
    found, open_ = {}, [("", cli._parser())]
    while open_:
        name, parser = open_.pop()
        found[name] = parser
        for action in parser._subparsers._group_actions if parser._subparsers else ():
            open_ += [(f"{name} {each}".strip(), sub) for each, sub in action.choices.items()]
    return found


PARSERS = parsers()


def flaw_of(command):
    """Return what is wrong with a command as it is written, or None; placeholders such as FILE may stand in it."""
    words = [word for word in shlex.split(command) if not re.fullmatch(r"\w+=\S*", word)]  # variables before it
    program, *arguments = words
    if program in ("make",):
        target = next((word for word in arguments if "=" not in word), "")
        return None if re.search(rf"^{re.escape(target)}:", MAKEFILE, re.M) else f"no target {target}"
    if program.rpartition("/")[2] != "elsa-nb":
        return None if program in ("pip", "conda") else f"{program} is not known here"
    name = ""
    while arguments and f"{name} {arguments[0]}".strip() in PARSERS:
        name = f"{name} {arguments.pop(0)}".strip()
    if not name and arguments and not arguments[0].startswith("-"):
        return f"no command {arguments[0]}"
    known = PARSERS[name]._option_string_actions
    strange = [word for word in arguments if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{name} has no option {strange[0]}" if strange else None


MAKEFILE = (ROOT / "Makefile").read_text()


def written():
    """Yield (page, command) for all commands in blocks and in sentences."""
    for page, text in TEXTS.items():
        for block in blocks(text):
            yield from ((page, command) for command in block.commands)
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        spans = re.findall(r"`([^`\n]+)`", prose)
        yield from ((page, span) for span in spans if re.match(r"(?:\.venv/bin/)?elsa-nb \w|make [a-z]", span))


def test_every_command_that_is_named_exists():
    named = list(written())
    assert len(named) > 60
    assert {f"{page}: {command}: {flaw}" for page, command in named if (flaw := flaw_of(command))} == set()


def test_every_option_that_is_named_exists():
    options = {option for parser in PARSERS.values() for option in parser._option_string_actions}
    for page, text in TEXTS.items():
        named = set(re.findall(r"`(--[a-z][a-z-]*)", text))
        assert named <= options, f"{page}: {sorted(named - options)}"


@pytest.mark.parametrize(
    ("command", "flaw"),
    [
        ("elsa-nb lable x", "no command lable"),
        ("elsa-nb label x --sessoin y", "label has no option --sessoin"),
        ("elsa-nb labels export x --pool y", "labels export has no option --pool"),
        ("make docks", "no target docks"),
        ("ELSA_DEVICE=cuda elsa-nb embed --all", "embed has no option --all"),
        ("rm -r x", "rm is not known here"),
        (".venv/bin/elsa-nb label FOLDER --target 0.9", None),
    ],
)
def test_the_check_of_commands_sees_flaws(command, flaw):
    assert flaw_of(command) == flaw


def test_every_environment_variable_is_told():
    told = set(re.findall(r"^\| `(ELSA_\w+)`", TEXTS["environment.md"], re.MULTILINE))
    sources = [path.read_text() for path in (ROOT / "elsa_nb").rglob("*.py")]
    assert told == {name for source in sources for name in re.findall(r"\bELSA_[A-Z0-9_]+\b", source)}
    assert {name for text in TEXTS.values() for name in re.findall(r"\bELSA_[A-Z0-9_]+\b", text)} <= told


DOTTED = re.compile(r"\belsa_nb(?:\.[A-Za-z_]\w*)+")
RESOLVE = """
import sys
from importlib import import_module
import elsa_nb
for name in sys.argv[1:]:
    try:
        import_module(name)  # a module, which code imports by this name
    except ImportError:
        at = elsa_nb
        for part in name.split(".")[1:]:
            at = getattr(at, part)
assert elsa_nb.label.summary.summarize_session and elsa_nb.label.Panel
"""


def test_every_dotted_name_that_is_written_leads_somewhere():
    """After `import elsa_nb` alone, as a reader types it: elsa_nb.label.Panel had to be imported by another name."""
    written = {name for text in TEXTS.values() for name in DOTTED.findall(text)}
    names = sorted(written - {"elsa_nb.strategies"})  # the group of entry points
    assert "elsa_nb.label_folder" in names
    done = subprocess.run([sys.executable, "-c", RESOLVE, *names], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_every_link_in_a_text_leads_to_a_file_of_the_repository():
    """The texts are read where the code lies, too, and not only on the site."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "docs/pages/results.md" in listed
    for name in listed.splitlines():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        for address in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", address):
                assert (ROOT / name).parent.joinpath(address.partition("#")[0]).exists(), f"{name}: {address}"
