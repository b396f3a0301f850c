"""Say what goes between the benchmark and its workers, one line of JSON each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["product", "floor", "stock"]
FORM = "multipart/form-data; boundary=bench"


@dataclass(frozen=True, slots=True)
class Spec:
    """Which application a worker runs, and on which database."""

    kind: Kind
    url: str
    folder: str
    address: str = ""
    """What the driver itself takes, for the floor."""
    county: int = 0
    user: int = 0
    plugins: str | None = None
    views: int = 0
    """How many screens the stock application has."""
    counts_start: bool = False
    """Whether the statements of the start are counted."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a browser sends it."""

    path: str
    method: str = "GET"
    body: str = ""
    cookie: str = ""
    packed: bool = True
    """Whether the answer may come compressed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: str
    size: int
    cookie: str
    location: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What a start took: seconds of processor, statements, resident memory, screens."""

    cpu: float
    statements: int
    rss_kib: int
    views: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What some requests took together, in seconds, and the statuses they ended with."""

    cpu: float
    wall: float
    statuses: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Depth:
    """What one request does inside: statements, and the most memory it holds at once."""

    statements: list[str]
    peak_kib: float


def form_body(values: dict[str, str]) -> str:
    """Return a form as a browser sends it."""
    parts = (
        f'--bench\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return "".join(parts) + "--bench--\r\n"
