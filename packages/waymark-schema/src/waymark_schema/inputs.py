"""What a run starts from: arguments and attributes in, the one column that keeps both out, and back."""

import msgspec


class StartInputs(msgspec.Struct, frozen=True, array_like=True):
    """Both parts in durable wire form: ``arguments`` by parameter name, ``attributes`` = ``vars(self)``."""

    arguments: bytes
    attributes: bytes


_decoder = msgspec.msgpack.Decoder(StartInputs)


def pack_inputs(arguments: bytes, attributes: bytes) -> bytes:
    """Make the content of ``instances.inputs``.

    >>> unpack_inputs(pack_inputs(b"a", b"b")).attributes
    b'b'
    """
    return msgspec.msgpack.encode(StartInputs(arguments, attributes))


def unpack_inputs(column: bytes) -> StartInputs:
    """Read ``instances.inputs``; raises ValueError when it holds something else."""
    try:
        return _decoder.decode(column)
    except msgspec.MsgspecError as error:
        msg = f"the inputs of this run cannot be read: {error}; the row was not written by Waymark"
        raise ValueError(msg) from error
