"""Compiler: the server's side of the process that compiles notebooks as they are edited."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import OrderedDict
from typing import Any

from nbflow_jupyter.refusal import Refusal

#: seconds after which a compilation is given up
_PATIENCE = 30.0
#: answers that are kept for the same question asked again
_KEPT = 32
#: bytes of an answer's line
_LINE = 64 << 20


class Compiler:
    """Asks one process, one question after another; starts it anew where it has died."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def compile(self, request: dict[str, Any], folder: str) -> dict[str, Any]:
        """A `Compiled` for a `CompileRequest` whose notebook lies in ``folder``."""
        question = json.dumps({"ask": "compile", "request": request, "folder": folder})
        # local modules are part of the code, and may have changed since
        kept = None if request.get("code") else self._answers.get(question)
        if kept is not None:
            return kept
        answer = await self._ask(question)
        self._answers[question] = answer
        if len(self._answers) > _KEPT:
            self._answers.popitem(last=False)
        return answer

    async def parameters(self, path: str, name: str) -> dict[str, Any]:
        """The `Parameters` of a saved notebook."""
        return await self._ask(json.dumps({"ask": "parameters", "path": path, "name": name}))

    async def export(self, path: str) -> tuple[str, dict[str, str]]:
        """The name and the files of a saved notebook's package; a refusal where it has errors."""
        answer = await self._ask(json.dumps({"ask": "export", "path": path}))
        if "files" not in answer:
            raise Refusal(400, "The notebook does not compile.", answer["diagnostics"])
        return answer["name"], answer["files"]

    async def warm(self) -> None:
        """Start the process before it is needed."""
        async with self._lock:
            await self._running()

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _ask(self, question: str) -> dict[str, Any]:
        async with self._lock:
            process = await self._running()
            try:
                line = await asyncio.wait_for(_exchange(process, question), _PATIENCE)
            except TimeoutError:
                await self.stop()
                raise Refusal(504, "Compiling the notebook took too long.") from None
            except BaseException:
                # an answer that nobody has read must not be taken for the next one's
                await self.stop()
                raise
            if not line:
                await self.stop()
                raise Refusal(500, "The compiler ended unexpectedly.")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Refusal(500, f"The compiler failed: {answer['error']}")
        found: dict[str, Any] = answer["ok"]
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "nbflow_jupyter.compile_cells",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LINE,
            )
        return self._process


async def _exchange(process: asyncio.subprocess.Process, question: str) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(question.encode() + b"\n")
    await process.stdin.drain()
    return await process.stdout.readline()
