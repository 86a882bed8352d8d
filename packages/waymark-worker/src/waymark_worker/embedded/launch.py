"""Owner, identity and program in; this process becomes that program, unprivileged and bound to its owner."""

# Run by path with `python -I -S`, so that nothing of the owner's environment is imported: standard library only.
# A parent-death signal must be set after every change of credentials, because such a change clears it.

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import sys
from pathlib import Path

REFUSED = 125
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _system(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def enter_namespace(uid: int, gid: int) -> None:
    """Appear as `uid` while staying, for the kernel outside, the user that started us."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _system("unshare", _CLONE_NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        Path("/proc/self", name).write_text(line, encoding="ascii")


def drop_to(uid: int, gid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def drop_to_keeping_file_access(uid: int, gid: int) -> None:
    """Give up root except for opening files: the checkout may lie below a directory of mode 0700."""
    _system("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    drop_to(uid, gid)
    bit = 1 << _CAP_DAC_OVERRIDE
    sets = (_CapabilitySets * 2)(_CapabilitySets(bit, bit, bit), _CapabilitySets(0, 0, 0))
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    _system("capset", ctypes.byref(header), ctypes.byref(sets))
    _system("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def take_identity(kind: str, uid: int, gid: int) -> None:
    """Become the identity that the owner chose."""
    if kind == "namespace":
        enter_namespace(uid, gid)
    elif kind == "nobody":
        drop_to(uid, gid)
    elif kind == "nobody-with-file-access":
        drop_to_keeping_file_access(uid, gid)


def die_with_owner(number: int) -> None:
    """Ask the kernel for this signal once the owner (the thread that forked us) is gone."""
    _system("prctl", _PR_SET_PDEATHSIG, number, 0, 0, 0)


def watch(owner: int, number: int) -> None:
    """Start a detached watchdog for systems without a parent-death signal."""
    ward = os.getpid()
    between = os.fork()
    if between != 0:
        os.waitpid(between, 0)
        return
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    watchdog = str(Path(__file__).with_name("watchdog.py"))
    os.execv(  # noqa: S606 - our own interpreter and file
        sys.executable, [sys.executable, "-I", "-S", watchdog, str(owner), str(ward), str(number)]
    )


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="waymark-launch")
    parser.add_argument("--owner", type=int, required=True)
    parser.add_argument("--guard", choices=("signal", "watchdog"), required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--identity", required=True)
    parser.add_argument("--uid", type=int, default=-1)
    parser.add_argument("--gid", type=int, default=-1)
    parser.add_argument("--reach", action="append", default=[])
    parser.add_argument("program", nargs="+")
    return parser.parse_args(argv)


def _refuse(message: str) -> int:
    sys.stderr.write(f"waymark-launch: {message}\n")
    return REFUSED


def main(argv: list[str]) -> int:
    """Become the program; return only when that is impossible."""
    arguments = _arguments(argv)
    # The watchdog starts first, with the owner's identity: it needs to be allowed to signal its ward.
    if arguments.guard == "watchdog":
        watch(arguments.owner, arguments.signal)
    try:
        take_identity(arguments.identity, arguments.uid, arguments.gid)
    except OSError as error:
        return _refuse(f"{arguments.identity}: {error}")
    if arguments.guard == "signal":
        die_with_owner(arguments.signal)
    if os.getppid() != arguments.owner:
        return _refuse(f"owner {arguments.owner} is gone")
    for path in arguments.reach:
        if not os.access(path, os.X_OK):
            return _refuse(f"{arguments.identity}: {path!r}: {os.strerror(errno.EACCES)}")
    try:
        os.execv(arguments.program[0], arguments.program)  # noqa: S606 - chosen by our owner
    except OSError as error:
        return _refuse(f"{arguments.identity}: cannot run {arguments.program[0]!r}: {error}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
