"""Wire: task records on their way from a host process to the driver, as small as they can be."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter

from nbflow.store.records import TaskRecord

_values = attrgetter(*(field.name for field in fields(TaskRecord)))


def pack_records(records: Iterable[TaskRecord]) -> bytes:
    """The records as bytes; nobody needs to look inside until they arrive."""
    return pickle.dumps([_values(record) for record in records], protocol=5)


def unpack_records(packs: Sequence[bytes]) -> list[TaskRecord]:
    """The records of several packs."""
    return [TaskRecord(*values) for pack in packs for values in pickle.loads(pack)]
