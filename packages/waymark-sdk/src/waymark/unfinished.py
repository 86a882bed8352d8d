"""The name of a feature that is agreed and not built yet in, the error that says so out."""


def unfinished(feature: str) -> NotImplementedError:
    """Return the error to raise.

    >>> unfinished("Run.cancel")
    NotImplementedError('Run.cancel is not available in this version of Waymark')
    """
    return NotImplementedError(f"{feature} is not available in this version of Waymark")
