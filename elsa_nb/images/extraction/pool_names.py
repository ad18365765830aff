"""The names that pools get: `<name>-<encoder>-<space>` is a folder, so what it is made of must be a part of one."""

from collections.abc import Iterable
from typing import Any

from elsa_nb.images.encoders.names import hyphened


def check_pool_names(name: Any, encoders: Iterable[Any]) -> None:
    """Raise ValueError unless `name` and what the `encoders` are called can be parts of one folder's name.

    Not allowed are nothing at all, slashes of either kind, signs that do not show, and a dot in front, which hides.
    """
    for what, each in (("name", name), *(("the name of an encoder", each) for each in encoders)):
        shows = isinstance(each, str) and each.strip() and each.isprintable()
        if not shows or each[0] == "." or "/" in each or "\\" in each:
            better = hyphened(each).strip(".-") if isinstance(each, str) else ""
            raise ValueError(
                f"{what} is {each!r:.80}, and a pool's folder is called by it: give a name without slashes, and with "
                f"no dot in front, such as {better or 'mine'!r}"
            )
