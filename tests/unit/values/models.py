"""Classes as users write them, for the tests of durable values."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    computed_field,
    field_validator,
)
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

T = TypeVar("T")


class Color(enum.Enum):
    RED = 1
    BLUE = "b"
    CRIMSON = 1  # noqa: PIE796 - an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    FAST = "fast"


class Mixed(str, enum.Enum):  # noqa: UP042 - the older spelling is what is tested
    YES = "y"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2


class Forgiving(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value: object) -> Forgiving:
        return cls.A


class Planet(enum.Enum):
    EARTH = (5.9, 6.3)

    def __init__(self, mass: float, radius: float) -> None:
        self.mass = mass
        self.radius = radius


class Address(BaseModel):
    street: str = ""
    lines: list[str] = Field(default_factory=list, max_length=3)


class Order(BaseModel):
    number: int
    color: Color = Color.RED
    address: Address = Address()
    password: SecretStr | None = None
    when: datetime | None = None
    kind: Literal["a", 3] = "a"
    parent: Order | None = None
    price: Annotated[Decimal, Field(gt=0)] = Decimal("1.5")


class Special(Order):
    extra_note: str = "x"


class Node(BaseModel):
    children: list[Node] = []
    peer: Peer | None = None


class Peer(BaseModel):
    node: Node | None = None


Node.model_rebuild()


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)
    a: int = 1


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    name: str = Field(alias="theName", min_length=1)


class Private(BaseModel):
    a: int
    _token: str = PrivateAttr(default="t")


class Page(BaseModel, Generic[T]):
    items: list[T]


class Validated(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def check(cls, value: int) -> int:
        if value < 0:
            raise ValueError("negative")
        return value


class Holder(BaseModel):
    inner: Validated


class Computed(BaseModel):
    a: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def double(self) -> int:
        return self.a * 2


class Stamped(BaseModel):
    at: list[int] = Field(default_factory=lambda: [1])


class Choosy(TypedDict):
    a: int
    b: NotRequired[str]


class Sets(BaseModel):
    ids: set[int] = set()
    fixed: frozenset[str] = frozenset({"x"})
    tags: Annotated[set[str], Field(min_length=0, max_length=2)] = set()
    pair: tuple[int, str] = (1, "a")
    many: tuple[int, ...] = ()


class Vertex(BaseModel, frozen=True):
    following: set[Vertex] | None = None
    paths: set[tuple[Vertex, ...]] | None = None


class Town(BaseModel, frozen=True):
    roads: frozenset[Road] | int = 0


class Road(BaseModel, frozen=True):
    towns: frozenset[Town] | str = ""


class Spacious(BaseModel):
    choosy: Choosy
    levels: dict[Level, list[Mode]] = {}


@dataclasses.dataclass
class Point:
    x: int
    y: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Cell:
    row: int
    column: int = dataclasses.field(default=2, repr=False, kw_only=True)


@dataclasses.dataclass
class Sub(Point):
    z: str = "z"
    hidden: int = dataclasses.field(default=0, compare=False)
    shared: typing.ClassVar[int] = 3


@dataclasses.dataclass
class Late:
    a: int
    doubled: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.doubled = self.a * 2


@dataclasses.dataclass(init=False)
class Own:
    a: int

    def __init__(self, text: str) -> None:
        self.a = int(text)


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Failure(ValueError):
    def __init__(self, code: int, *, detail: Any) -> None:
        super().__init__(f"failed with {code}")
        self.code = code
        self.detail = detail


class Talkative(Exception):
    def __str__(self) -> str:
        return "a text of its own"


class Missing(KeyError, LookupError):
    pass


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@dataclasses.dataclass
class Declared(Exception):
    code: int


class Text(str):
    """A subclass of a builtin: not durable."""

    __slots__ = ()


def numbers() -> Iterator[int]:
    yield 1
