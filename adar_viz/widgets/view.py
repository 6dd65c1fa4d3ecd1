"""`View`: the base of every widget. One display, moved in the browser.

A view sends everything once: a ``scene`` (JSON: words, numbers, choices) and ``points`` (bytes), and
is moved by its **state**, traits that are `State`. A subclass gives a display, a scene and a script::

    class Hardness(View):
        _script = "hardness.js"             # in js/, after the shared scripts; its style in css/hardness.css, if any
        question = "At which amount of noise do positives turn negative?"
        cannot = ("Whether a negative is a true one: …",)   # what the view cannot show, a sentence each
        t = State(0)                        # what a reader moves; allowed values stand in scene["choices"]

        @classmethod
        def from_trace(cls, trace: Trace, level: float = 0.5) -> Self:
            display = TimestepHardness.from_trace(trace, level)
            scene = {
                "heading": "When positives turn negative",
                "intro": "Arrow keys step, Space plays.",
                "choices": {"t": list(range(trace.num_timesteps + 1))},
                "names": titles(trace),     # item id -> title: brings the search list; leave out for none
                "code": cls.call(level=level),
                "share": rounded(share),    # the view's own numbers, by any other name
            }
            return cls(display, scene)

The script is described at the top of ``js/mount.js``; ``js/walk_scrubber.js`` is an example. What the
base brings: checks, the keyboard, themes, search, hover, selection that `link` carries to other views
(by item with ``selected``, by user with a ``user = State(-1)``), saving, a picture where no kernel
is, and pages that open from disk.
"""

from __future__ import annotations

import html
import os
import uuid
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import anywidget
import traitlets
from IPython.display import display

from adar_viz.displays import FORMATS, Display
from adar_viz.trace import Trace, item_names
from adar_viz.widgets.page import Part, write_page
from adar_viz.widgets.rerun import close_previous

_HERE = Path(__file__).parent
_SHARED = ("pens.js", "scatter.js", "plot.js", "controls.js", "saving.js", "mount.js", "transition.js")


class State(traitlets.TraitType):  # type: ignore[type-arg]
    """A synchronised trait that a reader moves; `View.scene` holds the values it may take, under ``choices``."""

    def __init__(self, default: Any = 0) -> None:
        super().__init__(default)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        """Give back the choice that equals the value; traits without choices are item or user ids, -1 for none."""
        name = str(self.name)
        choices = obj.scene.get("choices", {}).get(name)
        if choices is None:
            if int(value) < -1:
                raise traitlets.TraitError(f"{name} must be an id, or -1 for none; got {value}")
            return int(value)
        if value in choices:
            return choices[choices.index(value)]
        whole = all(isinstance(c, int) for c in choices) and choices == list(range(choices[0], choices[-1] + 1))
        known = f"lie in [{choices[0]}, {choices[-1]}]" if whole else f"be one of {', '.join(map(str, choices))}"
        raise traitlets.TraitError(f"{name} must {known}; got {value}")


class View(anywidget.AnyWidget):
    """A display that moves; everything is sent once, and traits are the only state.

    Attributes
    ----------
    selected : int
        Item id that is selected, -1 for none. Linked views share it.
    link : str
        Name of the link that the view belongs to; views of one name in one window follow each other.
    scene : dict
        Words, numbers and choices, JSON values only.
    points : bytes
        Coordinates, see `adar_viz.widgets.packing`.
    display : Display
        The same thing for print; its sentence is the widget's alt text.
    """

    question: ClassVar[str]
    """What the view answers: the title of its page."""
    cannot: ClassVar[tuple[str, ...]] = ()
    """What the view cannot show, a sentence each: below it on its page."""
    _script: ClassVar[str]
    _esm: ClassVar[str] = ""

    selected = State(-1)
    link = traitlets.Unicode("").tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)

    display: Display

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Join the shared scripts and styles with the view's own; anywidget takes one module and one sheet."""
        if "_script" in vars(cls):
            cls._esm = shared_script() + own_script(cls._script)
            cls._css = shared_style() + own_style(cls._script)
        super().__init_subclass__(**kwargs)

    def __init__(self, display: Display, scene: dict[str, Any], points: bytes = b"", **state: Any) -> None:
        # The scene first: it holds the values that the state may take; a default need not be among them.
        super().__init__(scene=scene, points=points, **{n: v for n, v in state.items() if self.has_trait(n)})
        self.display = display
        self.drive(**state)
        close_previous(self)

    @classmethod
    def call(cls, **arguments: Any) -> str:
        """Write the call of ``from_trace`` with these arguments, for `as_code`."""
        return f"{cls.__name__}.from_trace({', '.join(['trace', *(f'{k}={v!r}' for k, v in arguments.items())])})"

    @property
    def state(self) -> dict[str, Any]:
        """What a reader can move, by name, choices first."""
        names = [*self.scene.get("choices", {}), *(n for n in ("selected", "user") if self.has_trait(n))]
        return {name: getattr(self, name) for name in names}

    def drive(self, **state: Any) -> Self:
        """Set the state from code, as a reader would with the controls: ``drive(t=20, selected=3)``."""
        for name, value in state.items():
            if name not in self.state:
                raise ValueError(f"drive takes {', '.join(self.state)}; got {name}")
            setattr(self, name, value)
        return self

    def now(self) -> dict[str, Any]:
        """Say what is shown; subclasses add the numbers beside the picture."""
        return self.state

    def describe(self) -> str:
        """Say in one sentence what the widget shows: its alt text."""
        return self.display.describe()

    def picture(self) -> Display:
        """Return the display of the present state; subclasses whose picture depends on it override this."""
        return self.display

    def save_view(self, stem: str | os.PathLike[str], formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write the present state as a picture for print: PDF, SVG and PNG."""
        return self.picture().save(stem, formats)

    def as_code(self) -> str:
        """Write the line of Python that makes this view in its present state; ``trace`` is the run's trace."""
        given = {n: v for n, v in self.state.items() if not (n in ("selected", "user") and v == -1)}
        return f"{self.scene['code']}.drive({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def export_html(self, path: str | os.PathLike[str]) -> Path:
        """Write one page that opens from disk and works without kernel and network."""
        return write_page(path, title=self.question, pieces=[self.part()], script=shared_script(), style=shared_style())

    def part(self) -> Part:
        """Return what a page needs of this view."""
        traits = {name: getattr(self, name) for name in ("scene", "points", "link", *self.state)}
        return Part(own_script(self._script), own_style(self._script), traits, self.describe())

    def __repr__(self) -> str:
        """Name the widget and what it shows."""
        return f"{type(self).__name__}: {self.scene['heading']}"

    def _ipython_display_(self) -> None:
        """Show the widget at once; then, for whoever opens the notebook without a kernel or trust, its picture.

        Drawing the picture takes longer than all the rest. The style sheet hides it below a living view.
        """
        show: Any = display  # IPython says nothing of its types
        living: Any = self._repr_mimebundle_()
        show({name: value for name, value in living[0].items() if name != "text/plain"}, raw=True)
        show({"text/plain": repr(self), "text/html": self.stand_in()}, raw=True)

    def stand_in(self) -> str:
        """Return the picture as HTML: JupyterLab draws an image output without its alt text."""
        if not hasattr(self.display, "figure_"):
            self.display.plot()
        picture, alt = self.display._repr_mimebundle_()[0]["image/png"], html.escape(self.display.describe())
        return f'<img alt="{alt}" class="adar-stand-in" src="data:image/png;base64,{picture}">'


def link(*views: View, name: str | None = None) -> None:
    """Let views select the same item and user: in the browser without the kernel, in exported pages, from code.

    Parameters
    ----------
    views
        At least two.
    name
        Of the link; None makes one that no other notebook in the same window has.
    """
    if len(views) < 2:
        raise ValueError(f"link takes at least two views; got {len(views)}")
    chosen = name or uuid.uuid4().hex
    for view in views:
        view.link = chosen
    for one, other in pairwise(views):
        traitlets.link((one, "selected"), (other, "selected"))
    for one, other in pairwise([view for view in views if view.has_trait("user")]):
        traitlets.link((one, "user"), (other, "user"))


def titles(trace: Trace) -> dict[str, str]:
    """Title of every item by its id, as JSON has it; an item without a title goes by its number."""
    return {str(i): str(name) for i, name in enumerate(item_names(trace))}


def shared_script() -> str:
    """Join the scripts that every view stands on."""
    return "\n".join((_HERE / "js" / name).read_text(encoding="utf-8") for name in _SHARED)


def shared_style() -> str:
    """Read the style sheet that every view shares."""
    return (_HERE / "css" / "shared.css").read_text(encoding="utf-8")


def own_script(name: str) -> str:
    """Read a view's own script."""
    return (_HERE / "js" / name).read_text(encoding="utf-8")


def own_style(script: str) -> str:
    """Read the style sheet beside a view's script, if it has one."""
    path = (_HERE / "css" / script).with_suffix(".css")
    return path.read_text(encoding="utf-8") if path.exists() else ""
