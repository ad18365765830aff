"""A JupyterLab, a Chromium, and helpers to look at the panel the way a person does.

In CI a missing Chromium is a failure, not a skip: these tests are what stands behind the panel.
"""

import base64
import json
import os
import queue
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
HERE = Path(__file__).parent
CONTRAST = (HERE / "contrast.js").read_text("utf-8")
PATIENCE = 60_000  # ms; only a broken panel takes that long


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def jupyter_environment(folder):
    settings = folder / "settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    profile = folder / "ipython/profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n")
    places = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    environment = os.environ | {f"JUPYTER_{k}": str(folder / v) for k, v in places.items()}
    environment |= {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "ws"),
    }
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "OMP_NUM_THREADS": "1", "ELSA_PROGRESS": "0"}
    environment.pop("MPLBACKEND", None)
    return environment


def start(command, folder, environment):
    log = (folder / f"{secrets.token_hex(4)}.log").open("wb")
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition, what, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Lab:
    """A JupyterLab server with its own folders; notebooks lie in `root`."""

    def __init__(self, folder):
        self.root, self.token, self.port = folder / "root", secrets.token_hex(16), free_port()
        self.root.mkdir(parents=True)
        self.environment = jupyter_environment(folder)
        self.runtime = folder / "runtime"
        self.url = f"http://127.0.0.1:{self.port}"
        options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}"]
        options += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}"]
        options += [f"--ServerApp.root_dir={self.root}", "--LabApp.expose_app_in_browser=True"]
        options += [
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
        ]
        self.process = start([sys.executable, "-m", "jupyterlab", *options], folder, self.environment)
        try:
            wait_for(self._ready, "JupyterLab starts", 240)
        except BaseException:
            stop(self.process)
            raise

    def _ready(self):
        assert self.process.poll() is None, "JupyterLab stopped"
        try:
            return self.get("/api/status")
        except OSError:
            return False

    def get(self, path, method="GET"):
        request = urllib.request.Request(
            f"{self.url}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else True

    def shut_kernels(self):
        for session in self.get("/api/sessions"):
            self.get(f"/api/sessions/{session['id']}", "DELETE")


def assert_readable(desk, *, dark):
    """Assert that every text on screen has a contrast of 4.5 to 1 to what is behind it, on a dark or a light page."""
    measured = desk.page.evaluate(CONTRAST)
    assert measured["all"] > 30
    assert measured["worst"][0][0] >= 4.5, measured["worst"]
    assert (max(measured["back"]) < 80) == dark


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "no Chromium: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pool():
    """Make the bundled pool, once, if nobody has yet."""
    import scene

    return scene.pool()


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    stop(lab.process)


class Desk:
    """One notebook with one panel, in one browser window, and the session file behind it."""

    def __init__(self, lab, page, name, folder):
        self.lab, self.page, self.name, self.folder = lab, page, name, folder

    @property
    def root(self):
        return self.page.locator(".elsa-panel").first

    def run(self):
        """Open the notebook, run its cells, wait for the panel."""
        url = f"{self.lab.url}/lab/tree/{self.folder.name}/{self.name}?reset&token={self.lab.token}"
        self.page.goto(url, wait_until="domcontentloaded")
        self.run_cells()
        return self

    def run_cells(self):
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Notebook", timeout=PATIENCE)
        kernel = "window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=PATIENCE)
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait()

    def wait(self):
        self.root.wait_for(timeout=PATIENCE)
        ready = (
            "() => { const d = document.querySelector('.elsa-panel')?.dataset; return d?.ready === 'true' && d.n > 0 }"
        )
        self.page.wait_for_function(ready, timeout=PATIENCE)
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.elsa-card')].every(c => c.dataset.filled)",
            timeout=PATIENCE,
        )

    def painted(self):
        """Wait until the screen shows what was done: cards are painted with the next frame."""
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r)))")

    def settle(self):
        """Wait until the kernel has acknowledged everything and no round is being looked for."""
        self.painted()
        self.page.wait_for_function(
            "() => { const d = document.querySelector('.elsa-panel').dataset;"
            " return (d.seq === '0' || d.acked === d.seq) && d.waiting === 'false'"
            " && [...document.querySelectorAll('.elsa-card')].every(c => c.dataset.filled) }",
            timeout=PATIENCE,
        )

    def state(self):
        """Return what the screen says."""
        return self.page.evaluate(
            "() => { const d = document.querySelector('.elsa-panel').elsa.cards;"
            " return {labels: [...d.labels], cursor: d.cursor, check: d.check, waiting: d.waiting, over: d.over,"
            " rounds: [...d.rounds], size: d.size, history: d.history.length} }"
        )

    def rows(self):
        """Row and label of each card on the page, as the person sees them: once it is painted and filled."""
        return self.page.evaluate(
            "async () => { const cards = () => [...document.querySelectorAll('.elsa-card')];"
            " const frame = () => new Promise(r => requestAnimationFrame(() => setTimeout(r)));"
            " do await frame(); while (!cards().every(c => c.dataset.filled));"
            " return cards().map(c => [Number(c.dataset.row), Number(c.dataset.label)]) }"
        )

    def evaluate(self, expression):
        """Evaluate an expression in the kernel; its value comes back through JSON."""
        import ast

        code = f"__import__('json').dumps({expression})"
        reply = self.page.evaluate(
            "async (code) => { const k = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;"
            " const r = await k.requestExecute({code: 'pass', store_history: false, user_expressions: {v: code}}).done;"
            " return r.content.user_expressions.v }",
            code,
        )
        assert reply["status"] == "ok", reply
        return json.loads(ast.literal_eval(reply["data"]["text/plain"]))

    def answers(self):
        """Return the labels in the session file, by position: the last line of each card."""
        base = sqlite3.connect(f"file:{self.folder / 's.sqlite'}?mode=ro", uri=True)
        found = dict(base.execute("SELECT position, label FROM events WHERE position IS NOT NULL ORDER BY id"))
        base.close()
        return {position: label for position, label in found.items() if label > -2}

    def check_file(self):
        """Assert that the file holds every answer on screen, once, and nothing else."""
        self.settle()
        shown = {i: label for i, label in enumerate(self.state()["labels"]) if label > -2}
        base = sqlite3.connect(f"file:{self.folder / 's.sqlite'}?mode=ro", uri=True)
        asked = base.execute("SELECT asked FROM rounds ORDER BY annotator, number").fetchall()
        rows = [row for (text,) in asked for row in json.loads(text)["rows"]]
        stored = base.execute("SELECT row, label FROM answers").fetchall()
        assert len(stored) == len(dict(stored)), "an answer twice"
        # By row: an item that is asked again is filled in, and has no second line in the file.
        assert dict(stored) == {rows[position]: label for position, label in shown.items()}
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        base.close()

    def press(self, *keys):
        """Press keys one after another, and wait until the screen shows what the last of them did."""
        for key in keys:
            self.page.keyboard.press(key)
        self.painted()

    def focus(self):
        self.root.focus()


BARE = """<!doctype html><meta charset="utf-8"><style>%s</style><body><script type="module">
const source = new Blob([%s], {type: 'text/javascript'}), on = {}, outbox = [];
const model = {figures: {}, get(name) { return this[name]; }, send(message) { outbox.push(message); },
  on(name, act) { (on[name] ??= []).push(act); }, off() {}};
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const carry = async () => {
  for (const [figures, message, buffers] of await toKernel(outbox.splice(0))) {
    if (figures) { model.figures = figures; on['change:figures']?.forEach((act) => act()); }
    else on['msg:custom'].forEach((act) => act(message, buffers.map(bytes)));
  }
  setTimeout(carry, 10);
};
const widget = await import(URL.createObjectURL(source));
widget.default.render({model, el: document.body});
carry();
</script>"""


class BareDesk(Desk):
    """The panel in a page of its own, its messages carried by hand: the same page without server and kernel."""

    def __init__(self, page, panel, folder):
        super().__init__(None, page, "", folder)
        self.panel, self.inbox = panel, queue.SimpleQueue()
        panel.widget.send = lambda message, buffers=(): self.inbox.put((None, message, list(buffers)))
        panel.widget.observe(lambda change: self.inbox.put((change.new, None, [])), "figures")
        page.expose_function("toKernel", self._carry)

    def _carry(self, messages):
        for message in messages:
            self.panel.widget.hear(message)
        waiting = [self.inbox.get() for _ in range(self.inbox.qsize())]
        return [[f, m, [base64.b64encode(b).decode() for b in buffers]] for f, m, buffers in waiting]

    def run(self):
        widget = self.panel.widget
        self.inbox.put((widget.figures, None, []))
        html = BARE % (widget._css, json.dumps(widget._esm))
        self.page.route("http://localhost/bare", lambda route: route.fulfill(body=html, content_type="text/html"))
        self.page.goto("http://localhost/bare")
        self.wait()
        return self

    def evaluate(self, expression):
        return eval(expression, {"panel": self.panel})


@pytest.fixture
def bare_desk(browser, tmp_path):
    """Return a function that shows a panel in a bare page; its session is `s.sqlite` in `tmp_path`."""
    opened = []

    def open_bare(panel, width=1280, height=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        opened.append((context, panel))
        return BareDesk(context.new_page(), panel, tmp_path).run()

    yield open_bare
    for context, panel in opened:
        context.close()
        panel.close()


@pytest.fixture
def open_desk(lab, browser, tmp_path):
    """Return a function that opens a notebook with the given lines in a fresh window, its own folder and kernel."""
    contexts = []
    folder = lab.root / tmp_path.name
    folder.mkdir()
    shutil.copy(HERE / "scene.py", folder)

    def opened(*lines, name="panel.ipynb", run=True, width=1280, height=1000, **options):
        cells = [nbformat.v4.new_code_cell(line) for line in lines]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / name)
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        local = (lab.url, "data:", "blob:")
        context.route("**/*", lambda r: r.continue_() if r.request.url.startswith(local) else r.abort())
        contexts.append(context)
        desk = Desk(lab, context.new_page(), name, folder)
        return desk.run() if run else desk

    opened.folder = folder
    yield opened
    for context in contexts:
        context.close()
    lab.shut_kernels()
