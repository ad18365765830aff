"""The list of what exports wrote: nothing is forgotten where several write at once."""

import subprocess
import sys

from elsa_nb.written_files import is_replaceable

WRITER = """
import sys
from pathlib import Path
from elsa_nb.written_files import write_export
for number in range(20):
    write_export(Path(f"{sys.argv[1]}-{number}.csv"), b"written")
"""


def test_exports_at_the_same_moment_are_all_listed(tmp_path):
    """One list is for all files of a folder, and half of them were missing from it."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=tmp_path) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    written = sorted(tmp_path.glob("*.csv"))
    assert len(written) == 40
    assert [path.name for path in written if not is_replaceable(path)] == []
    written[0].write_bytes(b"changed by hand")
    assert not is_replaceable(written[0])
