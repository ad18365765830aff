"""Downloads from a server of our own: continued where they stopped, checked, and never half there."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from elsa_nb import cli, store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images import downloads
from elsa_nb.images.downloads import download
from elsa_nb.images.encoders import published
from elsa_nb.store import read_json, sha256_bytes

DATA = bytes(range(256)) * 20_000
MD5 = hashlib.md5(DATA).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        if self.path != "/file":
            self.send_error(404)
            return
        first = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")) if server.ranges else 0
        if first >= len(DATA):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(DATA)}")
            self.end_headers()
            return
        self.send_response(206 if server.ranges else 200)
        if server.ranges:
            self.send_header("Content-Range", f"bytes {first}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(DATA) - first))
        self.end_headers()
        stop = server.cuts.pop(0) if server.cuts else len(DATA)
        if len(server.asked) == 1:
            server.goes_on.wait()
        self.wfile.write(DATA[first:stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.cuts, server.ranges = [], [], True
    server.goes_on = threading.Event()
    server.goes_on.set()
    server.url = f"http://127.0.0.1:{server.server_port}/file"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.goes_on.set()
    server.shutdown()
    server.server_close()


def test_a_download_comes_with_a_card(server, tmp_path):
    path = download(server.url, tmp_path / "weights.pth", md5=MD5[:8], card={"licence": "MIT"})
    assert path.read_bytes() == DATA
    card = read_json(tmp_path / "weights.pth.json")
    assert card == {"url": server.url, "md5": MD5, "sha256": sha256_bytes(DATA), "bytes": len(DATA), "licence": "MIT"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["weights.pth", "weights.pth.json"]
    download(server.url, path)
    assert len(server.asked) == 1  # what is here is not asked for again


def test_a_lost_connection_is_taken_up_again(server, tmp_path):
    server.cuts = [1_000_000, 3_000_000]
    assert download(server.url, tmp_path / "w.pth", md5=MD5).read_bytes() == DATA
    assert server.asked == ["bytes=0-", "bytes=1000000-", "bytes=3000000-"]


def test_a_later_run_goes_on_from_the_part(server, tmp_path):
    (tmp_path / "w.pth.part").write_bytes(DATA[:4_000_000])
    assert download(server.url, tmp_path / "w.pth", md5=MD5).read_bytes() == DATA
    assert server.asked == ["bytes=4000000-"]
    (tmp_path / "all.pth.part").write_bytes(DATA)
    assert download(server.url, tmp_path / "all.pth", md5=MD5).read_bytes() == DATA


def test_who_wants_a_file_that_another_downloads_waits_for_it(server, tmp_path, capsys):
    """Two that wrote one part wrote into each other's, and the slower one into the file that the other had checked."""
    server.goes_on.clear()  # the first answer takes its time
    path, out = tmp_path / "w.pth", ""
    first, second = (threading.Thread(target=download, args=(server.url, path), daemon=True) for _ in range(2))
    first.start()
    while not server.asked:
        time.sleep(0.01)
    second.start()
    while len(server.asked) < 2 and "waiting for its end" not in out:
        out += capsys.readouterr().out
        time.sleep(0.01)
    if len(server.asked) == 2:
        second.join()
    server.goes_on.set()
    first.join()
    second.join()
    assert path.read_bytes() == DATA
    assert len(server.asked) == 1
    assert read_json(tmp_path / "w.pth.json")["sha256"] == sha256_bytes(DATA)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w.pth", "w.pth.json"]


def test_a_card_never_vouches_for_an_older_file(server, tmp_path, monkeypatch):
    """Killed between the card and the renaming, beside a file of other bytes that had no card."""
    path = tmp_path / "w.pth"
    path.write_bytes(b"older")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as at_work:
        at_work.setattr(downloads.Path, "replace", lambda *given: killed() if given[1] == path else real(*given))
        real = downloads.os.replace
        with pytest.raises(KeyboardInterrupt):
            download(server.url, path)
    assert not (path.exists() and path.with_name("w.pth.json").exists())
    assert download(server.url, path).read_bytes() == DATA


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "w.pth.part").write_bytes(DATA[:4_000_000])
    assert download(server.url, tmp_path / "w.pth", md5=MD5).read_bytes() == DATA


def test_other_bytes_are_refused_and_deleted(server, tmp_path):
    with pytest.raises(CorruptFileError, match=f"its MD5 is {MD5}, published: 1234"):
        download(server.url, tmp_path / "w.pth", md5="1234")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_reached_says_what_to_put_where(server, tmp_path, monkeypatch):
    with pytest.raises(MissingDataError, match=r"404.*put it at .*w\.pth"):
        download(server.url + "s", tmp_path / "w.pth")
    assert len(server.asked) == 1
    monkeypatch.setattr(downloads, "_SECONDS", 1)
    with pytest.raises(MissingDataError, match=r"cannot be downloaded \(.*\)\. The same command tries again"):
        download("http://127.0.0.1:9/file", tmp_path / "w.pth")
    assert not (tmp_path / "w.pth").exists()


def test_the_list_of_encoders_asks_nobody_and_tells_licence_and_label(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "DATA", tmp_path)
    monkeypatch.setattr(downloads.urllib.request, "urlopen", None)
    assert cli.main(["encoders"]) == 0
    told = capsys.readouterr().out
    for spec in published.OFFICIAL.values():
        assert spec.name in told
        assert spec.licence in told
    assert "the paper's row says 71.3" in told
    published.checkpoint_path(published.OFFICIAL["swav"]).parent.mkdir()
    published.checkpoint_path(published.OFFICIAL["swav"]).write_bytes(bytes(3_000_000))
    cli.main(["encoders"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["swav"].split()[1] == "cached"
    assert "to download" in lines["vicreg"]
    assert "to download" in lines["dinov2-small"]
    assert "bundled" in lines["efficientnet-lite0"]


def test_an_encoder_is_fetched_when_asked(server, tmp_path, monkeypatch, capsys):
    from dataclasses import replace

    monkeypatch.setattr(store, "DATA", tmp_path)
    monkeypatch.setitem(published.OFFICIAL, "obow", replace(published.OFFICIAL["obow"], url=server.url))
    assert cli.main(["encoders", "get", "obow"]) == 0
    assert "licence: Apache-2.0" in capsys.readouterr().out
    assert (tmp_path / "checkpoints" / "obow.pth").read_bytes() == DATA
    assert cli.main(["encoders", "get"]) == 1
    assert "name the encoders to download: all, or some of vicreg" in capsys.readouterr().err
    assert cli.main(["encoders", "get", "obwo"]) == 1
    assert "'obwo' is not one of the published ones" in capsys.readouterr().err
