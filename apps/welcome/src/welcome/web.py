"""The web service: POST /welcome queues a run, GET /runs/{id} tells how it stands."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from waymark import InstanceNotFound, Run, WorkflowFailed
from welcome.workflows import WelcomeEmailWorkflow

app = FastAPI(title="Welcome")
LARGEST_TABLE = 1_000_000


@app.post("/welcome", status_code=202)
async def welcome(request: Request, pause_seconds: float = 3.0) -> dict[str, str]:
    """Take a CSV as the body, answer with the id of the run at once."""
    body = await request.body()
    if len(body) > LARGEST_TABLE:
        raise HTTPException(
            413, f"the table has {len(body)} bytes; expected at most {LARGEST_TABLE}"
        )
    try:
        table = body.decode()
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"the table is not UTF-8: {error}") from error
    run = await WelcomeEmailWorkflow.start(table, pause_seconds=pause_seconds)
    return {"id": run.id}


@app.get("/runs/{run_id}")
async def show(run_id: str) -> Any:
    """Where a run stands, and its result once it has one."""
    try:
        run = Run.get(run_id)
        state = await run.status()
        if state == "completed":
            return {"id": run_id, "state": state, "result": await run.result()}
        if state == "failed":
            await run.result()
    except (InstanceNotFound, ValueError) as error:
        raise HTTPException(404, str(error)) from error
    except WorkflowFailed as error:
        return JSONResponse({"id": run_id, "state": "failed", "error": error.error.message})
    return {"id": run_id, "state": state}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the service answers."""
    return {"status": "ok"}
