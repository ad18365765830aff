"""The panel as a web page: `elsa-nb label` under Voila, its token, and what the server does not serve."""

import os
import signal
import sys
import urllib.error
import urllib.request

import numpy as np
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
    environment = conftest.jupyter_environment(folder / "jupyter")
    port = conftest.free_port()
    options = ["--pool", "pool", "--session", "s.sqlite", "--port", str(port), "--token", "right", "--no-browser"]
    main = "import sys; from elsa_nb.cli import main; sys.exit(main())"
    process = conftest.start([sys.executable, "-c", main, "label", "pictures", *options], folder, environment)
    url = f"http://127.0.0.1:{port}"
    conftest.wait_for(lambda: status(url) is not None, "Voila starts")
    yield folder, url, red
    process.send_signal(signal.SIGINT)
    process.wait(conftest.PATIENCE / 1000)  # how soon: tests/label/test_serving.py


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
    _, url, _ = served
    assert status(url + path) in (302, 401, 403, 404)


@pytest.mark.parametrize(
    "path",
    [
        *("p00.png", "label.ipynb", "job.json", "../pictures/p00.png", "..%2f..%2fs.sqlite", "%2fetc%2fhostname"),
        *("%2e%2e/%2e%2e/etc/hostname", "pictures/p00.png"),
    ],
)
def test_with_the_token_still_no_file_is_served(served, path):
    _, url, _ = served
    assert status(f"{url}/voila/files/{path}", Authorization="token right") in (403, 404)


def test_a_whole_search_by_mouse_from_a_sample(served, browser):
    folder, url, red = served
    page = browser.new_context(viewport={"width": 1100, "height": 900}).new_page()
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith((url, "data:", "blob:")) else r.abort())
    page.goto(f"{url}/?token=right", wait_until="domcontentloaded")
    desk = conftest.Desk(None, page, "", folder)
    desk.wait()
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

    # a reload starts another kernel; it finds the session where it was
    before = desk.state()
    page.reload()
    desk.wait()
    page.wait_for_function("() => document.querySelector('.elsa-panel').dataset.active === 'true'", timeout=30_000)
    assert desk.state()["labels"] == before["labels"]
    desk.focus()
    desk.press("z")
    desk.check_file()
    page.context.close()


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_dark_where_the_system_is(served, browser, dark):
    folder, url, _ = served
    context = browser.new_context(color_scheme="dark" if dark else "light", viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith((url, "data:", "blob:")) else r.abort())
    page.goto(f"{url}/?token=right", wait_until="domcontentloaded")
    desk = conftest.Desk(None, page, "", folder)
    desk.wait()
    page.screenshot(path=os.environ.get("ELSA_SHOTS", str(folder)) + f"/voila-{'dark' if dark else 'light'}.png")
    conftest.assert_readable(desk, dark=dark)
    body = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (body == "rgb(17, 17, 17)") == dark
    share = page.evaluate("() => document.querySelector('.elsa-panel').getBoundingClientRect().width / innerWidth")
    assert share > 0.9, "the panel fills a wide window"
    context.close()
