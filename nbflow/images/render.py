"""Render: a Dockerfile, and what to do with it. Values in, text out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: the first words of every file that is written: one that lacks them is the user's own
MARK = "# Written by `nbflow export --to image`"
#: for the stage of steps that name no environment: no name that `--env` takes
FLOW = "the flow's own"


@dataclass(frozen=True, slots=True)
class Stage:
    """One image: the flow's own, or that of an environment of `--env`."""

    name: str
    #: `3.12`
    python: str
    #: what identifies its content
    id: str

    @property
    def lock(self) -> str:
        """The file beside the Dockerfile that says what is installed."""
        return "requirements.txt" if self.name == FLOW else f"requirements-{self.name}.txt"

    @property
    def target(self) -> str:
        """What it is called in the Dockerfile."""
        return "flow" if self.name == FLOW else f"env-{_plain(self.name)}"

    @property
    def base(self) -> str:
        """The build argument that names the image it stands on."""
        word = _plain(self.name).replace("-", "_").upper()
        return "BASE" if self.name == FLOW else f"BASE_{word}"

    def tag(self, flow: str) -> str:
        """What it is called in a registry."""
        name = flow if self.name == FLOW else f"{flow}-{self.name}"
        return f"{_plain(name) or 'flow'}:{self.id}"


def dockerfile(flow: str, stages: Sequence[Stage], uv: str, wheel: str | None) -> str:
    """The Dockerfile: a stage for each environment, the flow's own last.

    ``wheel`` is the file of nbflow itself, None where the locks have it from an index.
    """
    arguments = [f"ARG {one.base}=python:{one.python}-slim" for one in stages]
    head = [
        f"{MARK} for the flow {flow}.",
        "# It holds nbflow and what the steps import, and no code: a run has that from its store,",
        "# so that an edited cell needs no other image. README.md says how it is built.",
        "",
        f"ARG UV=ghcr.io/astral-sh/uv:{uv}",
        *arguments,
        "",
        "FROM ${UV} AS uv",
    ]
    return "\n".join([*head, *(line for one in stages for line in _stage(one, wheel))]) + "\n"


def _stage(stage: Stage, wheel: str | None) -> list[str]:
    python = "/opt/venv/bin/python"
    copied = " ".join([stage.lock, *([wheel] if wheel else [])])
    install = [
        f"RUN uv venv --python {stage.python} /opt/venv \\",
        f" && uv pip sync --python {python} --require-hashes /opt/nbflow/{stage.lock}",
    ]
    if wheel:
        install[-1] += " \\"
        install.append(f" && uv pip install --python {python} --no-deps /opt/nbflow/{wheel}")
    return [
        "",
        f"FROM ${{{stage.base}}} AS {stage.target}",
        "COPY --from=uv /uv /usr/local/bin/uv",
        "ENV UV_PYTHON_INSTALL_DIR=/opt/python UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1",
        "# What a distribution needs of the system goes here:",
        "# RUN apt-get update && apt-get install -y --no-install-recommends libgomp1",
        f"COPY {copied} /opt/nbflow/",
        *install,
        "ENV PATH=/opt/venv/bin:$PATH",
    ]


def readme(flow: str, stages: Sequence[Stage]) -> str:
    """How the images are built and used."""
    several = "s" if len(stages) > 1 else ""
    return "\n".join(
        [
            f"<!-- {MARK.removeprefix('# ')}. -->",
            f"# Image{several} of the flow {flow}",
            "",
            "In this folder; `podman build` and `buildah build` take the same words:",
            "",
            "```sh",
            *commands(flow, stages),
            "```",
            "",
            "Then in pyproject.toml, beside the notebook:",
            "",
            "```toml",
            *configuration(flow, stages),
            "```",
            "",
            "An image changes with the environment, not with the code of cells. After you have",
            "installed something, export again: where nothing else is asked for, the lock stays.",
            "",
            "- Another base, as for CUDA: `--build-arg BASE=nvidia/cuda:12.6.3-base-ubuntu24.04`.",
            "  It needs no Python: uv brings one. `--build-arg UV=…`: uv from another registry.",
            "- For nodes with another processor than this machine: `--platform linux/amd64`.",
            "- kind, minikube and k3d need no registry: `kind load docker-image NAME`, say.",
            "",
        ]
    )


def commands(flow: str, stages: Sequence[Stage], folder: str = ".") -> list[str]:
    """What builds the images and hands them to a registry."""
    lines = []
    for one in stages:
        target = "" if one.name == FLOW else f"--target {one.target} "
        lines.append(f"docker build {target}-t REGISTRY/{one.tag(flow)} {folder}")
    return [*lines, *(f"docker push REGISTRY/{one.tag(flow)}" for one in stages)]


def configuration(flow: str, stages: Sequence[Stage]) -> list[str]:
    """What has runs on Kubernetes use them."""
    lines = ["[tool.nbflow.kubernetes]"]
    lines += [f'image = "REGISTRY/{one.tag(flow)}"' for one in stages if one.name == FLOW]
    others = [f'{one.name} = "REGISTRY/{one.tag(flow)}"' for one in stages if one.name != FLOW]
    return [*lines, f"images = {{ {', '.join(others)} }}"] if others else lines


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def lock_text(asked: str, text: str) -> str:
    """A lock as a file, which says what it was made for."""
    return f"{MARK}, for {asked}.\n{text}"


def lock_of(file: str, asked: str) -> str | None:
    """The lock in a file that was made for the same; None where it was made for something else."""
    head, _, text = file.partition("\n")
    return text if head == f"{MARK}, for {asked}." else None
