"""Driving: a cluster reached to drive runs in it, by a pod under an account of its own."""

from __future__ import annotations

from nbflow.errors import user_error
from nbflow.kubernetes.access import Access, connect
from nbflow.kubernetes.checks import check_images, check_store
from nbflow.kubernetes.open import (
    account_lacks,
    check_namespace,
    check_place,
    store_address,
    values_address,
)
from nbflow.kubernetes.settings import TABLE, Settings
from nbflow.runtime.spec import StepSpec
from nbflow.store import Store


def reach_for_driver(store: Store, steps: tuple[StepSpec, ...], settings: Settings) -> Access:
    """The cluster, which can run these steps and drive their runs as far as can be known."""
    if not settings.image:
        raise user_error(
            "NBF404",
            "No image is set for the pod that drives the run.",
            f'Set image = "registry/name:tag" in {TABLE} of pyproject.toml; '
            "`nbflow export NOTEBOOK --to image` writes a Dockerfile for one.",
        )
    check_images(steps, settings)
    check_store(store_address(store, settings), values_address(store), settings)
    access = connect(settings)
    check_namespace(access)
    check_place(access, settings, steps)
    _check_account(access, settings)
    return access


def _check_account(access: Access, settings: Settings) -> None:
    """The driver's account is there, and may do what a driver does."""
    account = settings.driver_account or settings.service_account or "default"
    if access.exists("account", account) is False:
        raise user_error(
            "NBF404",
            f"The namespace {access.namespace} has no service account {account!r}.",
            f"Make it, or check `driver-account` in {TABLE}.",
        )
    lacking = account_lacks(access, account)
    if lacking:
        said = ", ".join(dict.fromkeys(f"{verb} {resource}" for _, resource, verb in lacking))
        raise user_error(
            "NBF404",
            f"The service account {account!r}, under which the run would be driven, may not do all "
            f"that this needs in {access.namespace}: {said}.",
            f"Give it the Role of docs/kubernetes.md, or set `driver-account` in {TABLE} to one "
            "that has it.",
        )
