"""Routes: every address of the API below `nbflow/api/`, what serves it, and what it takes.

`python -m nbflow_jupyter.routes > docs/server.openapi.json` writes the description down.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from jupyter_server.utils import url_path_join

from nbflow.store.browse import SORTS
from nbflow_jupyter import notebook_handlers as notebooks
from nbflow_jupyter import run_handlers as runs
from nbflow_jupyter import task_handlers as tasks
from nbflow_jupyter import wire
from nbflow_jupyter.logs import MOST
from nbflow_jupyter.openapi import Operation, Query, Route, describe
from nbflow_jupyter.stream import StreamHandler

BASE = "nbflow/api"

_STORE = Query("store", "The store's name; the default one without it.")
_STEP = Query("step", "The step's name.", required=True)
_KEY = Query("key", "The task's key, `3` or `3.1`; nothing for a step that does not fan out.")
_PART = Query("part", "`main`, or `items` for the split before a fan-out's tasks.")
_ATTEMPT = Query("attempt", "Which attempt; the last one without it.", number=True)
_NAME = Query("name", "The variable's name.", required=True)
_CURSOR = Query("cursor", "`next` of the page before.")
_TASK = (_STORE, _STEP, _KEY, _PART)


def _get(about: str, gives: Any, *query: Query) -> Operation:
    return Operation("get", about, gives, query=query)


def _limit(most: int) -> Query:
    return Query("limit", f"How many, at most {most}.", number=True)


def _route(path: str, handler: type, *operations: Operation) -> Route:
    pattern = path.replace("{flow}", "([^/]+)").replace("{number}", "([0-9]{1,15})")
    return Route(path, handler, operations, pattern.replace(".", r"\."))


_RUN = "runs/{flow}/{number}"

ROUTES: tuple[Route, ...] = (
    _route("info", notebooks.InfoHandler, _get("What the front end has to know first", wire.Info)),
    _route(
        "stores",
        notebooks.StoresHandler,
        _get(
            "The stores below the server's root",
            wire.Stores,
            Query("notebook", "Say which store serves this notebook."),
        ),
    ),
    _route(
        "runs",
        runs.RunsHandler,
        _get(
            "A page of runs, newest first",
            wire.RunPage,
            _STORE,
            *(
                Query(name, f"Only runs of this {name}.")
                for name in ("flow", "status", "tag", "branch", "engine")
            ),
            Query("search", "Only runs with all these words in path, user, parameters or tags."),
            _limit(runs.MOST_RUNS),
            _CURSOR,
        ),
        Operation("post", "Start a run of a notebook", wire.Started, wire.StartRequest, status=201),
    ),
    _route("facets", runs.FacetsHandler, _get("What to filter runs by", wire.Facets, _STORE)),
    _route(
        "compare",
        runs.CompareHandler,
        _get(
            "Runs side by side",
            wire.Compare,
            _STORE,
            Query("run", "A run's path; given once for each run.", required=True),
        ),
    ),
    _route(
        _RUN,
        runs.RunHandler,
        _get("Everything recorded of a run as a whole", wire.RunDetail, _STORE),
        Operation("delete", "Delete a run", None, query=(_STORE,), status=204),
    ),
    _route(
        f"{_RUN}/flags",
        runs.FlagsHandler,
        _get("What is out of the ordinary in a run", wire.Flags, _STORE),
    ),
    _route(
        f"{_RUN}/cancel",
        runs.CancelHandler,
        Operation("post", "Ask a run to stop", wire.Cancelled, query=(_STORE,)),
    ),
    _route(
        f"{_RUN}/resume",
        runs.ResumeHandler,
        Operation(
            "post",
            "Start a run that goes on from this one",
            wire.Started,
            wire.ResumeRequest,
            (_STORE,),
            201,
        ),
    ),
    _route(
        f"{_RUN}/tags",
        runs.TagsHandler,
        Operation("post", "Add and remove tags", wire.Tags, wire.TagRequest, (_STORE,)),
    ),
    _route(
        f"{_RUN}/graph",
        tasks.GraphHandler,
        _get("The graph with the states of its steps", wire.Graph, _STORE),
    ),
    _route(f"{_RUN}/steps", tasks.StepsHandler, _get("The steps' states", wire.Steps, _STORE)),
    _route(
        f"{_RUN}/strip",
        tasks.StripHandler,
        _get("All tasks of a step in few bytes", wire.HeatStrip, _STORE, _STEP),
    ),
    _route(
        f"{_RUN}/tasks",
        tasks.TasksHandler,
        _get(
            "A page of tasks",
            wire.TaskPage,
            _STORE,
            Query("step", "Only tasks of this step."),
            Query("status", "Only tasks with one of these statuses, with commas between."),
            Query("search", "Only tasks with all these words in path, item, worker or error."),
            Query("sort", f"One of {', '.join(SORTS)}."),
            Query("order", "`asc` or `desc`."),
            _limit(tasks.MOST_TASKS),
            _CURSOR,
        ),
    ),
    _route(
        f"{_RUN}/task",
        tasks.TaskHandler,
        _get("Everything recorded of a task", wire.TaskDetail, *_TASK),
    ),
    _route(
        f"{_RUN}/log",
        tasks.LogHandler,
        _get(
            "A range of what a task has printed, also while it runs",
            wire.LogChunk,
            *_TASK,
            _ATTEMPT,
            Query("start", "The first byte.", number=True),
            Query("tail", "The last so many bytes instead.", number=True),
            _limit(MOST),
        ),
    ),
    _route(
        f"{_RUN}/log/file",
        tasks.LogFileHandler,
        _get("All that a task has printed", "text/plain", *_TASK, _ATTEMPT),
    ),
    _route(
        f"{_RUN}/outputs",
        tasks.OutputsHandler,
        _get("What a task has shown", wire.Outputs, _STORE, _STEP, _KEY),
    ),
    _route(
        f"{_RUN}/output.html",
        tasks.OutputPageHandler,
        _get(
            "The HTML of an output, for a frame",
            "text/html",
            *(_STORE, _STEP, _KEY),
            Query("index", "Which of the outputs, from 0.", number=True),
        ),
    ),
    _route(
        f"{_RUN}/artifact",
        tasks.ArtifactHandler,
        _get("A kept value's stored bytes", "application/octet-stream", *_TASK, _NAME),
    ),
    _route(
        f"{_RUN}/image",
        tasks.ImageHandler,
        _get("The picture of a kept value", "image/png", *_TASK, _NAME),
    ),
    _route(f"{_RUN}/code", tasks.CodeHandler, _get("The code that ran", wire.Code, _STORE)),
    _route(
        f"{_RUN}/notebook",
        tasks.NotebookFileHandler,
        _get("The notebook that ran", "application/octet-stream", _STORE),
    ),
    _route(
        f"{_RUN}/package",
        tasks.PackageHandler,
        _get("The compiled package that ran", "application/zip", _STORE),
    ),
    _route(
        "compile",
        notebooks.CompileHandler,
        Operation("post", "Compile a notebook in hand", wire.Compiled, wire.CompileRequest),
    ),
    _route(
        "parameters",
        notebooks.ParametersHandler,
        _get(
            "The form of a saved notebook",
            wire.Parameters,
            Query("notebook", "Its path below the server's root.", required=True),
        ),
    ),
    _route(
        "export",
        notebooks.ExportHandler,
        _get(
            "The package that a saved notebook compiles to",
            "application/zip",
            Query("notebook", "Its path below the server's root.", required=True),
        ),
    ),
    _route(
        "notebook",
        notebooks.NotebookHandler,
        _get(
            "What a notebook's newest runs say of its steps",
            wire.NotebookState,
            Query("path", "Its path below the server's root.", required=True),
        ),
    ),
    _route(
        "interactive",
        notebooks.InteractiveHandler,
        _get(
            "What the server's user tried of a step by hand, newest first",
            wire.InteractiveTasks,
            Query("path", "The notebook's path below the server's root.", required=True),
            _STEP,
        ),
    ),
    _route(
        "changes",
        notebooks.ChangesHandler,
        _get(
            "What has changed",
            wire.Changes,
            Query("since", "The `seq` that is known already.", number=True),
        ),
    ),
    _route(
        "stream",
        StreamHandler,
        _get("A WebSocket of what changes", wire.Change),
    ),
    _route(
        "openapi.json",
        notebooks.OpenApiHandler,
        _get("This description", "application/json"),
    ),
)


def handlers() -> list[tuple[str, type]]:
    """The routes as Jupyter Server takes them."""
    return [(url_path_join("/", BASE, route.pattern), route.handler) for route in ROUTES]


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return describe(ROUTES, version("nbflow"))


if __name__ == "__main__":
    import json

    print(json.dumps(document(), indent=1))
