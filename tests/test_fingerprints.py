"""Code hashes: what a module does, not how it is commented; a package stands for all modules inside it."""

import pytest

from elsa_nb import fingerprints


def test_comments_docstrings_and_blank_lines_do_not_count():
    plain = "def f(x):\n    return x + 1\n"
    told = '"""Words."""\n\n\ndef f(x):  # why\n    """More words."""\n    return x + 1\n'
    assert fingerprints.bare_source(told) == fingerprints.bare_source(plain)
    assert fingerprints.bare_source("def f(x):\n    return x + 2\n") != fingerprints.bare_source(plain)


def test_a_package_stands_for_its_modules(tmp_path, monkeypatch):
    package = tmp_path / "hashed_here"
    (package / "inner").mkdir(parents=True)
    for name in ("__init__", "one", "inner/__init__", "inner/two"):
        (package / f"{name}.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = ["hashed_here", "hashed_here.inner", "hashed_here.inner.two", "hashed_here.one"]
    assert fingerprints.modules("hashed_here") == names
    assert fingerprints.code_hash("hashed_here") != fingerprints.code_hash("hashed_here.inner")
    before = fingerprints.code_hash("hashed_here.inner")
    fingerprints.code_hash.cache_clear()
    (package / "inner" / "two.py").write_text("x = 2\n")
    assert fingerprints.code_hash("hashed_here.inner") != before


def test_what_is_no_module_is_said():
    with pytest.raises(ValueError, match="'no_such_module' is not a module of this installation"):
        fingerprints.code_hash("no_such_module")


def test_made_by_names_code_commit_and_versions():
    made = fingerprints.made_by("elsa_nb.search", packages=("numpy",))
    assert len(made["code"]) == 64
    assert made["commit"] is None or len(made["commit"]) == 40
    assert list(made["versions"]) == ["numpy"]
