"""The code blocks of a page of the documentation, in their order."""

import re
from dataclasses import dataclass

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?', re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"not run by the tests(?:: |, but )\w+")


@dataclass(frozen=True)
class Block:
    """One block: its language, its title, its text, what it prints ("": not said) and the line it begins at."""

    language: str
    title: str
    text: str
    printed: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether it is run; else its title says why not."""
        return self.language in ("python", "sh") and not NOT_RUN.match(self.title)

    @property
    def commands(self) -> list[str]:
        """The lines of a block of commands, without remarks."""
        lines = [line.split("  #")[0].strip() for line in self.text.splitlines()]
        return [line for line in lines if line and not line.startswith("#")] if self.language == "sh" else []


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page; a `text` block that follows another one at once is what that one prints."""
    return [
        Block(each[1], each[2] or "", each[3], each[4] or "", text.count("\n", 0, each.start()) + 1)
        for each in BLOCK.finditer(text)
    ]
