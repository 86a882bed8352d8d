from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

import pydantic
import pytest

from tests.unit.values import models
from waymark.coercion.imports import ImportBinding
from waymark_schema.failures import ActionTimeout, SerializationError
from waymark_schema.values import faults, render
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding
from waymark_schema.values.shadows import Shadows


def raised(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - to give it a traceback
    except BaseException as caught:  # noqa: BLE001 - whatever it is
        return caught


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes of ``models`` exist no longer."""
    for name in ("Failure", "Talkative", "Missing", "Silent", "Declared"):
        monkeypatch.delattr(models, name)


def file_error() -> OSError:
    try:
        open("/nowhere/at/all")  # noqa: PTH123, SIM115 - its exception is what is wanted
    except OSError as error:
        return error
    raise AssertionError


def json_error() -> ValueError:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a", 1), KeyError("k"), ZeroDivisionError(), StopIteration(5), SystemExit(3), ConnectionError(),
        OSError(2, "gone", "f", None, "g"), FileNotFoundError(2, "gone"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        ImportError("no", name="n", path="p"), NameError("x"), AttributeError("y", name="z"), KeyboardInterrupt(),
        asyncio.CancelledError("stop"), TimeoutError("late"), ActionTimeout("slow"), models.Failure(3, detail=[1]),
        models.Missing("k"), models.Talkative("x"), models.Declared(5), file_error(), json_error(),
        SerializationError("m", path="p", type_name="t"), ExceptionGroup("g", [ValueError(1), models.Failure(1, detail=2)]),
        BaseExceptionGroup("b", [KeyboardInterrupt()]), SyntaxError("bad", ("f", 1, 2, "text", 1, 3)),
    ],
    ids=repr,
)  # fmt: skip
def test_an_exception_comes_back_with_class_args_attributes_and_text(
    codec: Codec, error: BaseException
) -> None:
    back = codec.decode(codec.encode(error))
    assert type(back) is type(error)
    assert (str(back), repr(back)) == (str(error), repr(error))
    if not isinstance(error, BaseExceptionGroup):
        assert back.args == error.args
    for name in (
        "errno",
        "strerror",
        "filename",
        "filename2",
        "name",
        "path",
        "code",
        "detail",
        "value",
        "lineno",
        "pos",
    ):
        if hasattr(error, name):
            assert getattr(back, name) == getattr(error, name)
    if isinstance(error, BaseExceptionGroup):
        assert isinstance(back, BaseExceptionGroup)
        assert [repr(sub) for sub in back.exceptions] == [repr(sub) for sub in error.exceptions]


def test_rebuilding_runs_no_init_of_the_user(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(models.Failure(3, detail={"a": 1}))

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("__init__ ran")

    monkeypatch.setattr(models.Failure, "__init__", refuse)
    back = codec.decode(data)
    assert (back.code, back.detail, back.args) == (3, {"a": 1}, ("failed with 3",))


@pytest.mark.usefixtures("missing")
def test_a_class_that_cannot_be_imported_keeps_its_name_on_its_nearest_base(codec: Codec) -> None:
    data = DATA["failure"]
    back = codec.decode(data)
    assert type(back).__mro__[1] is ValueError
    assert type(back).__qualname__ == "Failure"
    assert (back.code, str(back), repr(back)) == (3, "failed with 3", "Failure('failed with 3')")
    again = codec.decode(codec.encode(back))
    assert (type(again).__qualname__, str(again), again.code) == ("Failure", "failed with 3", 3)


@pytest.mark.usefixtures("missing")
def test_text_of_a_class_that_cannot_be_imported_is_what_it_said(codec: Codec) -> None:
    assert str(codec.decode(DATA["talkative"])) == "a text of its own"


def test_an_exception_whose_class_only_its_module_can_make_keeps_name_and_text(
    codec: Codec,
) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        models.Point.__class__, models.Order(number="x")  # type: ignore[arg-type]
    back = codec.decode(codec.encode(caught.value))
    assert isinstance(back, ValueError)
    assert type(back).__name__ == "ValidationError"
    assert str(back) == str(caught.value)


def test_causes_contexts_and_notes_are_kept(codec: Codec) -> None:
    def fail() -> None:
        try:
            try:
                raise KeyError("first")  # noqa: TRY301 - a chain
            except KeyError as error:
                raise models.Failure(1, detail=None) from error
        except models.Failure:
            raise RuntimeError("last")  # noqa: B904 - the context is what is tested

    with pytest.raises(RuntimeError) as caught:
        fail()
    caught.value.add_note("a note")
    back = codec.decode(codec.encode(caught.value))
    assert back.__notes__ == ["a note"]
    assert repr(back.__context__) == repr(caught.value.__context__)
    assert repr(back.__context__.__cause__) == "KeyError('first')"
    assert back.__context__.__suppress_context__
    assert back.__traceback__ is None


def test_a_chain_that_goes_round_ends(codec: Codec) -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__context__, second.__context__ = second, first
    back = codec.decode(codec.encode(first))
    assert repr(back.__context__) == "ValueError('2')"
    assert back.__context__.__context__ is None


def test_a_very_long_chain_is_cut(codec: Codec) -> None:
    error = ValueError(0)
    for number in range(1, 500):
        later = ValueError(number)
        later.__context__ = error
        error = later
    back = codec.decode(codec.encode(error))
    assert len(list(faults.chain(back))) == faults.CHAIN_LIMIT


def test_the_traceback_travels_as_text_and_survives_another_hop(codec: Codec) -> None:
    error = raised(models.Failure(1, detail=None))
    text = render.fault(codec.encode(error)).traceback
    assert "test_exceptions.py" in text
    assert text.endswith("failed with 1\n")
    again = codec.encode(codec.decode(codec.encode(error)))
    assert render.fault(again).traceback == text
    assert "".join(traceback.format_exception(codec.decode(again))).endswith("failed with 1\n")


def test_what_cannot_be_kept_of_an_exception_is_left_out(codec: Codec) -> None:
    error = models.Failure(1, detail=object())
    error.args = (object(), 2**70, "\ud800")
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    error.__dict__["deep"] = deep
    back = codec.decode(codec.encode_exception(error))
    assert not hasattr(back, "detail")
    assert not hasattr(back, "deep")
    assert back.args[0].startswith("<object object")
    assert back.args[1:] == (2**70, "\ud800")
    assert back.code == 1


@pytest.mark.parametrize(
    "error",
    [
        models.Silent("x"), ValueError("\ud800"), ValueError("x" * 5_000_000), ValueError([[]] * 300_000),
        ExceptionGroup("g", [ValueError("y" * 900_000) for _ in range(3)]),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_writing_an_exception_never_fails(error: Exception) -> None:
    codec = Codec(ImportBinding(), max_bytes=1_000_000)
    data = codec.encode_exception(raised(error))
    assert len(data) <= codec.max_bytes
    back = codec.decode(data)
    assert type(back).__name__ in {type(error).__name__, "ExceptionGroup"}


def test_a_process_without_classes_tells_what_it_was(codec: Codec) -> None:
    data = codec.encode(models.Failure(3, detail=models.Color.RED))
    parts = render.fault(data)
    assert parts.qualname == "tests.unit.values.models:Failure"
    assert parts.name == "Failure"
    assert parts.bases == ["ValueError", "Exception", "BaseException"]
    records = Codec(RecordBinding())
    through = codec.decode(records.encode(records.decode(data)))
    assert (type(through), through.detail) == (models.Failure, models.Color.RED)


def test_shadow_exceptions_are_matched_by_their_bases(codec: Codec) -> None:
    class Unrelated(Exception):
        pass

    stranger = Codec(Shadows([]))
    back = stranger.decode(codec.encode(models.Failure(3, detail=1)))
    assert type(back).__mro__[1] is ValueError
    assert type(back) is not models.Failure
    again = stranger.decode(codec.encode(models.Failure(4, detail=1)))
    assert type(again) is type(back)
    assert (repr(back), back.code) == ("Failure('failed with 3')", 3)
    home = codec.decode(stranger.encode(back))
    assert (type(home), home.code, home.detail) == (models.Failure, 3, 1)


DATA: dict[str, bytes] = {}


@pytest.fixture(autouse=True, scope="module")
def written() -> None:
    codec = Codec(ImportBinding())
    DATA["failure"] = codec.encode(models.Failure(3, detail=None))
    DATA["talkative"] = codec.encode(models.Talkative("x"))
