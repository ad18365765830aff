"""The panel as a web page: `elsa-nb label` under Voila, its token, and what the server does not serve."""

import os
import re
import signal
import sys
import urllib.error
import urllib.request

import numpy as np
import psutil
import pytest
from PIL import Image

import conftest
from elsa_nb.pool import Pool

N = 60


@pytest.fixture(scope="module")
def served(chromium, tmp_path_factory):
    """Serve a folder of 60 small pictures, 12 of them red, by the command line, as a user would."""
    folder = tmp_path_factory.mktemp("voila")
    rng = np.random.default_rng(0)
    red = np.arange(N) % 5 == 0
    (folder / "pictures").mkdir()
    names = []
    for row in range(N):
        colour = (220, 30 + int(rng.integers(40)), 40) if red[row] else (30, int(rng.integers(255)), 200)
        names.append(f"p{row:02d}.png")
        Image.new("RGB", (40, 40), colour).save(folder / "pictures" / names[-1])
    vectors = rng.normal(size=(N, 4)) + 4 * red[:, None]
    Pool.from_arrays(vectors.astype(np.float32), np.array(names)).save(folder / "pool")
    environment = conftest.jupyter_environment(folder / "jupyter") | {"ELSA_LABEL_TOKEN": "right"}
    port = conftest.free_port()
    options = ["--pool", "pool", "--session", "s.sqlite", "--port", str(port), "--no-browser"]
    main = "import sys; from elsa_nb.cli import main; sys.exit(main())"
    process = conftest.start([sys.executable, "-c", main, "label", "pictures", *options], folder, environment)
    url = f"http://127.0.0.1:{port}"
    conftest.wait_for(lambda: status(url) is not None, "Voila starts", seconds=180)
    yield folder, url, red, psutil.Process(process.pid)
    process.send_signal(signal.SIGINT)
    process.wait(conftest.PATIENCE / 1000)


def status(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/voila/render/label.ipynb", "/api/kernels", "/api/contents/"])
def test_without_the_right_token_nothing_is_shown(served, path):
    _, url, *_ = served
    assert status(url + path) in (302, 401, 403, 404)


@pytest.mark.parametrize(
    "path",
    [
        *("p00.png", "label.ipynb", "job.json", "../pictures/p00.png", "..%2f..%2fs.sqlite", "%2fetc%2fhostname"),
        *("%2e%2e/%2e%2e/etc/hostname", "pictures/p00.png"),
    ],
)
def test_with_the_token_still_no_file_is_served(served, path):
    _, url, *_ = served
    assert status(f"{url}/voila/files/{path}", Authorization="token right") in (403, 404)


def test_a_whole_search_by_mouse_from_a_sample(served, browser):
    folder, url, red, process = served
    page = browser.new_context(viewport={"width": 1100, "height": 900}).new_page()
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith((url, "data:", "blob:")) else r.abort())
    page.goto(f"{url}/?token=right", wait_until="domcontentloaded", timeout=3 * conftest.PATIENCE)
    desk = conftest.Desk(None, page, "", folder)
    desk.wait()
    page.keyboard.press("h")  # on a page of its own the keys are for the panel, before anything is clicked
    page.locator(".elsa-help").wait_for(state="visible")
    page.keyboard.press("Escape")
    for _ in range(12):
        for i, (row, label) in enumerate(desk.rows()):
            if red[row] and label != 1:
                page.locator(".elsa-card").nth(i).click()
        page.locator(".elsa-next").click()
        desk.settle()
        if desk.state()["over"]:
            break
    assert desk.state()["labels"].count(1) >= 0.9 * red.sum()
    desk.check_file()
    page.screenshot(path=os.environ.get("ELSA_SHOTS", str(folder)) + "/voila.png")

    # a reload joins the kernel, and so does a second window, which may look on
    before = desk.state()
    second = page.context.new_page()
    second.goto(f"{url}/?token=right", wait_until="domcontentloaded", timeout=3 * conftest.PATIENCE)
    other = conftest.Desk(None, second, "", folder)
    other.wait()
    assert other.state()["labels"] == before["labels"]
    assert "Another window is working" in second.locator(".elsa-banner").inner_text()
    second.close()
    page.reload()
    desk.wait()
    page.wait_for_function("() => document.querySelector('.elsa-panel').dataset.active === 'true'", timeout=30_000)
    assert desk.state()["labels"] == before["labels"]
    desk.focus()
    desk.press("z")
    desk.check_file()
    page.context.close()
    lines = [each.cmdline() for each in (process, *process.children(recursive=True))]
    assert sum("ipykernel_launcher" in line for line in lines) == 1
    assert not any("right" in argument for line in lines for argument in line)


def test_a_host_that_somebody_else_named_and_addresses_elsewhere_are_no_part_of_it(served):
    _, url, *_ = served
    assert status(f"{url}/?token=right", Host="rebound.example.org") == 403
    assert status(f"{url}/voila/static/voila.js", Host="rebound.example.org") == 403
    request = urllib.request.Request(url, headers={"Authorization": "token right"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        page = answer.read().decode()
    assert "voila_finish" in page
    assert not re.findall(r"""(?:src|href|Url"?:?)\s*[=:]?\s*["'](?:https?:)?//[^"']+""", page)
    assert not re.findall(r"cdn|jsdelivr|unpkg", page)


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_dark_where_the_system_is(served, browser, dark):
    folder, url, *_ = served
    context = browser.new_context(color_scheme="dark" if dark else "light", viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith((url, "data:", "blob:")) else r.abort())
    page.goto(f"{url}/?token=right", wait_until="domcontentloaded", timeout=3 * conftest.PATIENCE)
    desk = conftest.Desk(None, page, "", folder)
    desk.wait()
    page.screenshot(path=os.environ.get("ELSA_SHOTS", str(folder)) + f"/voila-{'dark' if dark else 'light'}.png")
    conftest.assert_readable(desk, dark=dark)
    body = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (body == "rgb(17, 17, 17)") == dark
    share = page.evaluate("() => document.querySelector('.elsa-panel').getBoundingClientRect().width / innerWidth")
    assert share > 0.9, "the panel fills a wide window"
    context.close()
