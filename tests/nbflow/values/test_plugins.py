"""Codecs of others serve the types of their library, and are named where they are missing."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from nbflow.errors import StoreError
from nbflow.values import plugins
from nbflow.values.codecs import decode, encode


class Tensor:
    def __init__(self, data: bytes) -> None:
        self.data = data


class TensorCodec:
    @staticmethod
    def encode(value: Any) -> list[bytes] | None:
        return [b"tensor", value.data] if value.data else None

    @staticmethod
    def decode(data: memoryview) -> Tensor:
        return Tensor(bytes(data[6:]))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = types.ModuleType("tensors")
    vars(made).update(Tensor=Tensor, Codec=TensorCodec)
    monkeypatch.setattr(Tensor, "__module__", "tensors")
    monkeypatch.setitem(sys.modules, "tensors", made)
    point = EntryPoint("tensors", "tensors:Codec", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    plugins._points.cache_clear()
    plugins._codec.cache_clear()
    yield
    plugins._points.cache_clear()
    plugins._codec.cache_clear()


@pytest.mark.usefixtures("library")
def test_a_plugin_serves_its_types() -> None:
    encoded = encode(Tensor(b"abc"), "value")
    assert (encoded.codec, encoded.size) == ("plugin:tensors", 9)
    assert decode(encoded.codec, memoryview(b"tensorabc")).data == b"abc"
    assert encode(Tensor(b""), "value").codec == "pickle"


def test_a_missing_plugin_is_named() -> None:
    with pytest.raises(StoreError, match="plugin:tensors"):
        decode("plugin:tensors", memoryview(b""))
