"""Shows the examples of docstrings (`>>>`) as code: bare, Markdown would take them for quotations."""

import re

from griffe import Extension, Object

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n|>>> *$).*)*", re.MULTILINE)


class ExamplesInDocstrings(Extension):
    """Put a fence around each example of each docstring."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Change the docstring of one class, function, module or attribute."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
