"""Public exceptions in; the same ones after a trip through pickle (Celery, process pools) out."""

import pickle

import pytest

from waymark import errors
from waymark.errors import ErrorRecord

RAISED = [
    errors.WorkflowFailed("m", instance_id="i", error=ErrorRecord("ValueError", "bad")),
    errors.WorkflowCancelled("m", instance_id="i"),
    errors.InstanceNotFound("m", instance_id="i"),
    errors.BridgeUnavailable("m", stderr="last lines"),
    errors.UnsupportedPatternError("m", "instead", 3, 4, "f.py"),
    errors.SerializationError("m", path="result.x", type_name="lock"),
    errors.ActionTimeout("m"),
    errors.WorkerCrashed("m"),
    errors.ExhaustedRetriesError("m"),
    errors.ScheduleAlreadyExistsError("m"),
    errors.WaitTimeout("m", instance_id="i"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_every_public_exception_survives_pickling(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.args, vars(again)) == (error.args, vars(error))
    assert isinstance(error, errors.WaymarkError)


def test_the_list_of_exceptions_is_complete() -> None:
    public = {
        found
        for name in errors.__all__
        if isinstance(found := getattr(errors, name), type) and issubclass(found, Exception)
    }
    assert public - {errors.WaymarkError} == {type(error) for error in RAISED}
