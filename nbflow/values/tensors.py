"""Tensors: PyTorch's, read in place and sharing memory as they did, with their gradients.

PyTorch's own pickle copies every tensor's memory, loses which tensors share it and each one's
`.grad`, and cannot be read where the GPU is missing. Here a storage is written once, as a buffer of
its own; a tensor that comes from a calculation comes back with its value, and objects when
gradients are to flow back into it, as they would end there without a word.
"""

from __future__ import annotations

import importlib
import pickle
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from nbflow.errors import user_error


class TensorSharing:
    """What is known of the tensors in a value: filled by a first pickling, used by a second."""

    def __init__(self) -> None:
        #: by address of its head: the object that stands for a storage, the same in one pickle
        self._storages: dict[int, Any] = {}
        #: by address of the memory: the array that a storage shares it with
        self._arrays: dict[int, Any] = {}
        self._torch: Any = sys.modules.get("torch")

    def found(self, arrays: Mapping[int, Any]) -> bool:
        """Whether a storage lies where one of these arrays does, by address of their memory."""
        held = {storage.data_ptr() for storage in self._storages.values()}
        self._arrays = {address: array for address, array in arrays.items() if address in held}
        return bool(self._arrays)

    def reduce(self, obj: Any) -> Any:
        """The parts to make it again from; None to leave it to others."""
        torch = self._torch
        if torch is None or not hasattr(torch, "Tensor"):
            return None
        if isinstance(obj, torch.Tensor):
            return _reduce_tensor(obj)
        if type(obj) is torch.storage.TypedStorage:
            storage = obj._untyped_storage
            return _typed, (self._storages.setdefault(storage._cdata, storage), obj.dtype)
        if type(obj) is torch.UntypedStorage and obj.device.type in ("cpu", "cuda"):
            array = self._arrays.get(obj.data_ptr())
            if array is not None and array.nbytes == obj.nbytes():
                return _storage_of, (array,)
            return _reduce_storage(torch, obj)
        return None


def _reduce_tensor(tensor: Any) -> Any:
    if tensor.grad_fn is not None:
        return _computed, (tensor.detach(), tensor.grad_fn.name())
    reduced = tensor.__reduce_ex__(5)
    if tensor.grad is None or len(reduced) != 2:
        return reduced
    return *reduced, tensor.grad, None, None, _set_grad


def _reduce_storage(torch: Any, storage: Any) -> Any:
    here = storage.cpu()
    values = torch.tensor([], dtype=torch.uint8).set_(here).numpy()
    device = "" if storage.device.type == "cpu" else str(storage.device)
    # numpy keeps the memory alive for as long as the buffer is
    return _storage, (pickle.PickleBuffer(values), device)


def _storage(data: Any, device: str) -> Any:
    """The storage whose bytes lie in `data`; on its GPU where there is one."""
    torch = _torch()
    if not len(data):
        storage = torch.UntypedStorage(0)
    else:
        storage = torch.frombuffer(data, dtype=torch.uint8).untyped_storage()
    if not device:
        return storage
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        warnings.warn(
            f"A tensor that was on {device} is on the CPU here: there is no GPU.", stacklevel=2
        )
        return storage
    index = torch.device(device).index or 0
    return storage.cuda(index if index < count else 0)


def _storage_of(array: Any) -> Any:
    """The storage that lies where an array of NumPy's does, as after `torch.from_numpy`."""
    torch = _torch()
    return torch.from_numpy(array.ravel(order="K").view("u1")).untyped_storage()


def _torch() -> Any:
    return importlib.import_module("torch")


def _typed(storage: Any, dtype: Any) -> Any:
    torch = _torch()
    return torch.storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def _set_grad(tensor: Any, grad: Any) -> None:
    tensor.grad = grad


def _computed(value: Any, function: str) -> Any:
    """A tensor that a calculation gave, whose steps back are not there any more."""
    torch = _torch()

    base: Any = torch.autograd.Function

    class Elsewhere(base):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, leaf: Any) -> Any:
            return leaf.clone()

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            raise user_error(
                "NBF405",
                f"Gradients cannot flow back into another step: this tensor ({function}) was "
                "computed there, and only its value was kept.",
                "Put the calculation and its `backward()` into one step.",
            )

    Elsewhere.__name__ = Elsewhere.__qualname__ = function
    return Elsewhere.apply(value.requires_grad_())
