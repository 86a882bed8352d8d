"""What a logger is told comes in; a line of the run's log goes out, from INFO upwards."""

# mypy: ignore-errors

from __future__ import annotations

from types import FunctionType

_INFO = 20


def debug(msg, *args, **keywords):
    pass


def info(msg, *args, **keywords):
    _log("root", 20, msg, args, **keywords)


def warning(msg, *args, **keywords):
    _log("root", 30, msg, args, **keywords)


def error(msg, *args, **keywords):
    _log("root", 40, msg, args, **keywords)


def exception(msg, *args, exc_info=True, **keywords):
    _log("root", 40, msg, args, exc_info=exc_info, **keywords)


def critical(msg, *args, **keywords):
    _log("root", 50, msg, args, **keywords)


def log(level, msg, *args, **keywords):
    _logger_log("root", level, msg, *args, **keywords)


def _logger_debug(name, /, msg, *args, **keywords):
    pass


def _logger_info(name, /, msg, *args, **keywords):
    _log(name, 20, msg, args, **keywords)


def _logger_warning(name, /, msg, *args, **keywords):
    _log(name, 30, msg, args, **keywords)


def _logger_error(name, /, msg, *args, **keywords):
    _log(name, 40, msg, args, **keywords)


def _logger_exception(name, /, msg, *args, exc_info=True, **keywords):
    _log(name, 40, msg, args, exc_info=exc_info, **keywords)


def _logger_critical(name, /, msg, *args, **keywords):
    _log(name, 50, msg, args, **keywords)


def _logger_log(name, /, level, msg, *args, **keywords):
    if not isinstance(level, int):
        raise TypeError("level must be an integer")
    if level >= _INFO:
        _log(name, level, msg, args, **keywords)


def _logger_is_enabled_for(name, /, level):
    return level >= _INFO


METHODS: dict[str, FunctionType] = {
    "debug": _logger_debug,
    "info": _logger_info,
    "warning": _logger_warning,
    "warn": _logger_warning,
    "error": _logger_error,
    "exception": _logger_exception,
    "critical": _logger_critical,
    "fatal": _logger_critical,
    "log": _logger_log,
    "isEnabledFor": _logger_is_enabled_for,
}
"""What stands for a method of a logger: it is given the logger's name first."""

for _name in reversed(METHODS):
    METHODS[_name].__qualname__ = f"Logger.{_name}"


def _log(of, level, msg, args, /, *, exc_info=None, extra=None, stack_info=False, stacklevel=1):
    for key in extra or ():
        if key in {"message", "asctime", *_RECORD.split()}:
            raise KeyError(f"Attempt to overwrite {key!r} in LogRecord")
    text = ""
    try:
        text = f"{msg}"
        if len(args) == 1 and isinstance(args[0], dict) and args[0]:
            (args,) = args
        if args:
            text %= args
    except Exception:  # noqa: BLE001 - as logging: a text that fails is no failure of the run
        text += " (its arguments do not fit)"
    called = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
    print(f"{called.get(level, f'Level {level}')} {of}: {text}{_told(exc_info)}")  # noqa: T201 - into the run's log


_log.__qualname__ = "Logger._log"
_RECORD = (
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created"
    " msecs relativeCreated thread threadName processName process taskName"
)
"""Attributes of a record, which ``extra`` must leave alone."""


def _told(exc_info):
    if not exc_info:
        return ""
    if exc_info is True or not isinstance(exc_info, (BaseException, tuple)):
        try:
            raise LookupError  # noqa: TRY301 - for its context
        except LookupError as made:
            exc_info = made.__context__  # what the caller handles
    elif isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if exc_info is None:
        return "\nNoneType: None"
    try:
        told = f"{exc_info}"
    except Exception:  # noqa: BLE001 - as logging
        told = "<exception str() failed>"
    return f"\n{type(exc_info).__name__}: {told}" if told else f"\n{type(exc_info).__name__}"
