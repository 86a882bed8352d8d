"""What a codec and a binding refuse: bytes that are no value, descriptors that break the rules."""

from waymark_schema.errors import WaymarkError


class MalformedValue(WaymarkError):
    """Bytes that are not the wire form of a value, or that a class here refuses."""


class DescriptorError(WaymarkError):
    """A type descriptor that breaks the rules; nothing was built from it."""
