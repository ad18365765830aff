"""Voila for one panel, as `launch` starts it: one kernel for all windows, known hosts only, nothing from elsewhere.

Voila starts a kernel for each page it shows and ends it when the page is left. Here the first page starts it; every
other window, and a page that is loaded again, joins it: they get the same page, whose widgets live in that kernel. A
kernel that no window is connected to ends after a while, and the next page starts another, which finds the session
where it was. Run as `python -m elsa_nb.label.page_server NOTEBOOK OPTIONS`, with the token in the environment.
"""

# ruff: noqa: E402
import sys

# Voila's libraries would build a grammar of addresses, which takes half of the server's start, to check the form of
# messages that it never sends; without this module they do without the grammar.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import asyncio
import logging
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.ioloop
import tornado.iostream
import tornado.routing
import tornado.web
from jupyter_server.base.handlers import APIHandler
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.tornado.handler import TornadoVoilaHandler

from elsa_nb.label.refusals import MARK
from elsa_nb.label.server_process import BEGUN_BY, TOKEN

ORPHAN_CHECK_MS = 1000
_LOCAL = {"localhost", "127.0.0.1", "::1"}
# What Voila's page asks content networks for: style sheets of icons, and a module that draws diagrams.
_ELSEWHERE = re.compile(
    r'<link\b[^>]*href="(?:https?:)?//[^>]*>'
    r"|<script\b[^>]*>(?:(?!</script>).)*(?:cdnjs|jsdelivr|unpkg)(?:(?!</script>).)*</script>"
    r'|<script\b[^>]*src="(?:https?:)?//[^>]*>\s*</script>',
    re.DOTALL,
)


class PageServer(Voila):
    """Voila with the handlers of this module."""

    def init_settings(self) -> dict[str, Any]:
        """Return Voila's settings, with the token that this process was handed."""
        self.token = os.environ.pop(TOKEN, "")  # popped: kernels are handed the environment, too
        return super().init_settings() | {"elsa_page": _Page(), "mathjax_url": ""}

    def init_handlers(self) -> list:
        """Return Voila's handlers, with ours in place of those that start and end kernels."""
        ours = {TornadoVoilaHandler: _PageHandler, VoilaShutdownKernelHandler: _LeftHandler}
        return [(each[0], ours.get(each[1], each[1]), *each[2:]) for each in super().init_handlers()]

    def listen(self) -> None:
        """Answer requests for a host name that this server is known by, until somebody ends it."""
        server = tornado.httpserver.HTTPServer(_KnownHosts(self.app, set(_names(self.ip))))
        try:
            server.listen(self.port, self.ip)
        except OSError as error:
            logging.getLogger(__name__).critical("port %d cannot be used: %s", self.port, error)
            self.exit(1)
        self.ioloop = tornado.ioloop.IOLoop.current()
        # A command that is killed cannot end its server: it sees for itself that its parent is another process now.
        # The command says who it is: where it was killed while the server started, the parent is another one already.
        begun_by = int(os.environ.get(BEGUN_BY) or os.getppid())
        orphaned = lambda: self.ioloop.stop() if os.getppid() != begun_by else None  # noqa: E731
        tornado.ioloop.PeriodicCallback(orphaned, ORPHAN_CHECK_MS).start()
        try:
            self.ioloop.start()
        finally:
            self.stop()


def _names(ip: str) -> Iterator[str]:
    """Yield what may stand in the Host header: somebody else made any other name lead here."""
    yield from _LOCAL
    yield ip
    if ip not in _LOCAL:
        yield from (socket.gethostname().lower(), socket.getfqdn().lower())


class _KnownHosts(tornado.routing.Router):
    """Hands requests on to the application if their Host is known, whatever token they bring."""

    def __init__(self, app: tornado.web.Application, names: set[str]):
        self.app, self.names = app, names
        self.remote = not names <= _LOCAL

    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        host = request.host_name.strip("[]").lower()
        # Somebody typed an address: a stranger's page can only make a browser ask us by a name of the stranger's.
        if host in self.names or (self.remote and re.fullmatch(r"[0-9.]+|[0-9a-f:.]+", host)):
            return self.app.find_handler(request, **kwargs)
        return self.app.get_handler_delegate(request, tornado.web.ErrorHandler, {"status_code": 403})


class _Page:
    """The page as it was first shown, and its kernel."""

    def __init__(self):
        self.lock, self.html, self.kernel = asyncio.Lock(), "", None

    def forget(self) -> None:
        self.html, self.kernel = "", None


class _PageHandler(TornadoVoilaHandler):
    """Shows the page: the first time while its kernel runs the notebook, then as it was."""

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        if path:  # a browser asks for icons and the like; each would get a page
            raise tornado.web.HTTPError(404)
        page: _Page = self.settings["elsa_page"]
        async with page.lock:
            if page.kernel is None or page.kernel not in self.kernel_manager:
                await self._begin(page)
                return
        self.set_header("Content-Type", "text/html")
        self.set_header("Cache-Control", "no-store")
        self.write(page.html)

    async def _begin(self, page: _Page) -> None:
        page.forget()
        before, parts, listens = set(self.kernel_manager.list_kernel_ids()), [], True
        async for html in self.get_generator(path=None):
            parts.append(_ELSEWHERE.sub("", html))
            try:
                if listens:
                    self.write(parts[-1])
                    await self.flush()
            except tornado.iostream.StreamClosedError:  # the window was closed; the next one joins
                listens = False
        (kernel,) = set(self.kernel_manager.list_kernel_ids()) - before
        html = "".join(parts)
        if MARK in html:  # nothing to join: the next page tries again
            await self.kernel_manager.shutdown_kernel(kernel)
            return
        page.html, page.kernel = html, kernel
        # Jupyter starts a kernel that died again, but without the panel.
        self.kernel_manager.add_restart_callback(kernel, page.forget, "restart")


class _LeftHandler(APIHandler):
    """A page says that it was left: its kernel stays, for another window or the same one, until it has been idle."""

    @tornado.web.authenticated
    async def post(self, kernel_id: str) -> None:
        self.set_status(204)
        self.finish()


if __name__ == "__main__":
    sys.exit(PageServer.launch_instance())
