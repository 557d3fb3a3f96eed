"""Declarations of the data layer, which a task can import without loading heavy modules.

A `module` is a dotted path that only the worker imports; each class says what it must contain. A task may name modules
of its own folder, or of an installed package.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from autotrain_gradio.core.text_format import in_sentence

Purpose = Literal["input", "target", "group", "weight", "meta"]
"""What a column is for: a feature column, a target column, a group that the split keeps together, a sample weight, or
metadata that is stored with the rows and not trained on."""


@dataclass(frozen=True)
class _Declared:
    name: str
    title: str
    module: str

    def load(self) -> ModuleType:
        """Import the module (in a worker)."""
        return importlib.import_module(self.module)


@dataclass(frozen=True)
class SourceOption:
    """A setting of a source or a layout: a key of `data.options`, and a flag of the command line.

    many: it takes several values.
    names_data: its first value names the data more precisely than the path does; a run is named after it.
    """

    name: str
    help: str
    kind: str = "text"
    """`text` or `number`."""
    many: bool = False
    default: Any = None
    names_data: bool = False


@dataclass(frozen=True)
class NamedData:
    """What a user named as data; each source says whether it is meant by it (`Source.matches`).

    samples: names of the task's samples. exists: the path is a file or folder of this computer (always False for
    visitors of a shared page). uploaded: the draft holds uploaded files.
    """

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    samples: frozenset[str] = frozenset()
    exists: bool = False
    uploaded: bool = False


@dataclass(frozen=True)
class Source(_Declared):
    """A place that data comes from.

    Module: `fetch(request: Request, draft: Path, progress) -> Fetched | Path`, the folder (or file) that
    holds the data. It raises `DataError` when there is none. One with a picker also has
    `browse(question: dict, request: Request, draft: Path, secrets: Mapping[str, str], progress) -> dict`, which answers
    what the picker asks; it may write below `data/picking` of the draft, which is removed after every question.
    """

    help: str = ""
    local_path: Literal["never", "sometimes", "always"] = "never"
    """Whether `data.path` is a file or folder of this computer. Such paths are made absolute, and refused in shared
    mode."""
    matches: Callable[[NamedData], float] | None = None
    """Confidence (0 to 1) that the user means this source where none is named; None: it is always named."""
    in_draft: bool = False
    """The data lies in the draft alone: YAML, command and Python name it by its path, without the source."""
    uses_hub: bool = False
    """Its data comes from the Hugging Face Hub, where it may be gated: reading it may need the user's token."""
    explicit: bool = False
    """YAML, command and Python always name the source, also where its path would be enough."""
    picker: str = ""
    """Dotted path of a module of the page with `build(session, source)`: the first step shows what it builds."""
    placeholder: str = ""
    """Example of a path, for the text field of the page."""
    options: tuple[SourceOption, ...] = ()
    sample: str = ""
    """A small example of what the source reads, as `Sample.path`; its place is called `sample`."""
    takes_over: bool = False
    """It takes over files that another source fetched and that it recognizes (`data.pipeline.takeover`). Its module has
    `recognizes(tree: Tree) -> bool`, and `take_over(tree, fetched, request, draft, source: str, progress) -> str`,
    which reads them into the draft and returns the path under which `fetch` finds them."""
    secrets: tuple[str, ...] = ()
    """Environment variables with its credentials, for the command line; workers of visitors do not get them."""
    docs: str = ""
    """Its documentation, relative to the root of the repository; the generated docs link to it."""

    @property
    def local_only(self) -> bool:
        """Whether it only reads files of this computer; refused in shared mode."""
        return self.local_path == "always"

    def recognizes(self, tree: Any) -> bool:
        """Whether it takes over these files (`Tree`), which another source fetched (in a worker)."""
        return self.takes_over and bool(self.load().recognizes(tree))


@dataclass(frozen=True)
class Layout(_Declared):
    """A directory layout or file format that rows are read from.

    Module: `recognize(tree: Tree, request: Request) -> Recognized | Rejected` and
    `read(tree: Tree, request: Request, draft: Path, progress) -> RawTables` (types in `data/rows.py`). A task without
    a column of files declares no layout that uses `request.files`.
    """

    example: str = ""
    """A small example of the format: a file tree, or the first lines of a file."""
    files: tuple[str, ...] = ()
    """Lower-case suffixes of the files that it reads besides tables and media; a download includes them."""
    options: tuple[SourceOption, ...] = ()
    whole: bool = False
    """It reads a folder as a whole: a download includes all files, and archives among them are not extracted."""


@dataclass(frozen=True)
class Kind(_Declared):
    """What a column's cells are.

    Module: `inspect(cells: pyarrow.ChunkedArray, context: Context) -> Cells`; and, if it likes,
    `profile(rows: Rows, role: str, context: Context) -> list[Panel]` and
    `gallery(rows: Rows, role: str, context: Context) -> list[Panel]` (types in `data/rows.py`).
    suffixes: extensions of the files that are such cells, lower case with their dot; empty: cells are values.
    feature: name of the type in `datasets` (`Image`, `ClassLabel`), by which columns are recognized.
    relatives: extensions of similar files that are not supported; a finding names them.
    classes: the cells are class names, so that folders can name them.
    texts: the values are texts (an Arrow array of strings).
    noun: what messages call one cell; empty: the name of the kind.
    includes: names of the kinds whose cells are such cells too, for filters of tasks.

    A kind whose columns can be recognized by their cells also has
    `guess(columns: dict[str, pyarrow.ChunkedArray], role: Column, request: Request) -> Guess | None`: the first rows of
    the columns that no other role takes → those that play the role.
    A kind of a `join` column also has `combine(columns: dict[str, pyarrow.ChunkedArray], context: Context) -> Cells`,
    which makes one column of several. A kind of which a table may have many columns may have
    `overview(rows: Rows, contexts: dict[str, Context]) -> list[Panel]` (role → context), shown once for all of them.
    """

    suffixes: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    feature: str = ""
    classes: bool = False
    texts: bool = False
    noun: str = ""
    includes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check(_Declared):
    """A check of all rows. Module: `check(rows: Rows, request: Request) -> Iterable[Finding]`.

    It may drop rows with `Rows.drop`. The module of a check or a kind may have `SKIPPED: dict[str, str]`: code of a
    reason for which rows are dropped → its text in the list of skipped rows.
    after_split: it runs once the rows are split into training and validation.
    """

    after_split: bool = False


@dataclass(frozen=True)
class Column:
    """A role that a column of the data plays in a task.

    purpose: what the column is for; mapping, split and checks go by it, never by the name of a role or kind.
    names: column names, lower case, by which the role is recognized.
    many: whether the role may be played by several columns: they become `<role>:<column>`, one each.
    join: (with many) the kind makes one of the columns, which becomes `<role>`.
    rest: (with many) the role takes all columns that no other role plays.
    """

    role: str
    title: str
    kind: Kind
    help: str = ""
    purpose: Purpose = field(kw_only=True)
    required: bool = True
    many: bool = False
    names: tuple[str, ...] = field(default_factory=tuple)
    join: bool = False
    rest: bool = False

    @property
    def is_input(self) -> bool:
        """Whether it is a feature column."""
        return self.purpose == "input"

    @property
    def is_target(self) -> bool:
        """Whether it is to be predicted."""
        return self.purpose == "target"

    @property
    def is_group(self) -> bool:
        """Whether the split keeps its equal values together."""
        return self.purpose == "group"

    @property
    def named(self) -> str:
        """The title within a sentence: `the label`, `what to predict`."""
        title = in_sentence(self.title)
        return title if title.startswith("what ") else f"the {title}"


@dataclass(frozen=True)
class Format:
    """One of the alternative sets of columns that a task reads: `messages`, or `prompt` and `completion`.

    A format fits if all its required columns are found. Of several that fit, the one with columns found by name wins,
    then the one that the task declares first: declare the one with more columns first.

    example: the first lines of a file, or one row, in this format.
    module: dotted path of a module with `recognize(columns: dict[str, list[pyarrow.ChunkedArray]], request: Request) ->
        float` (role → first rows of its columns): the confidence (0 to 1) that the cells are of this format; 0 rejects
        it. By default 0.9 if all required columns are found by their names, else 0.6.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    help: str = ""
    example: str = ""
    module: str = ""


def union_of_columns(formats: tuple[Format, ...]) -> tuple[Column, ...]:
    """Return the columns of all formats, each role once, as the first format that has it declares it."""
    columns: dict[str, Column] = {}
    for format in formats:
        for column in format.columns:
            columns.setdefault(column.role, column)
    return tuple(columns.values())
