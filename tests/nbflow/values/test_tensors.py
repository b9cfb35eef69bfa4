"""PyTorch's tensors come back sharing what they shared, with their gradients, or say what is gone."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from nbflow.errors import UserError
from nbflow.values import pickling
from nbflow.values.preview import preview

torch = pytest.importorskip("torch")


def again(value: Any) -> Any:
    encoded = pickling.dump(value, "value")
    return pickling.load(memoryview(bytearray(b"".join(encoded.parts))))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(1000.0).reshape(10, 100),
        torch.arange(3),
        torch.empty(0),
        torch.tensor(2.5),
        torch.tensor([True, False]),
        torch.randn(30).to(torch.bfloat16),
        torch.randn(5, 7).t(),
        torch.tensor([1 + 2j]),
    ],
)
def test_a_tensor_comes_back(tensor: Any) -> None:
    got = again(tensor)
    assert (type(got), got.dtype, got.shape, got.stride()) == (
        type(tensor),
        tensor.dtype,
        tensor.shape,
        tensor.stride(),
    )
    assert torch.equal(got, tensor)
    got.fill_(1)  # its own to change


def test_large_memory_is_not_copied() -> None:
    tensor = torch.arange(100_000)
    encoded = pickling.dump(tensor, "value")
    assert any(
        memoryview(part).nbytes == tensor.nbytes
        and np.shares_memory(np.frombuffer(part, np.uint8), tensor.numpy())
        for part in encoded.parts
    )


def test_a_view_stays_a_view() -> None:
    whole = torch.zeros(10, 100)
    got_whole, got_row = again([whole, whole[3]])
    got_row += 1
    assert got_whole.sum() == 100


def test_tensors_and_arrays_share() -> None:
    array = np.zeros(1000)
    got_array, got_tensor = again([array, torch.from_numpy(array)])
    got_array[7] = 5
    assert got_tensor[7] == 5


def test_tied_weights_and_the_optimizer_hold_the_models_parameters() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(40, 40), torch.nn.Linear(40, 40))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(40)).sum().backward()
    before = [parameter.grad.clone() for parameter in model.parameters()]
    model, optimizer = again([model, optimizer])
    assert model[1].weight is model[0].weight
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True))
    held = model[0].weight.detach().clone()
    optimizer.step()
    assert not torch.equal(model[0].weight, held)


def test_gradients_do_not_end_without_a_word() -> None:
    weight = torch.ones(5, requires_grad=True)
    got = again((weight * 2).sum())
    assert (got.item(), got.requires_grad) == (10.0, True)
    with pytest.raises(UserError, match=r"computed there, and only its value was kept"):
        (got + 1).backward()


def test_a_preview_tells_shape_and_statistics() -> None:
    shown = preview(torch.arange(6.0).reshape(2, 3), lambda _: {})
    assert shown is not None
    assert {name: shown[name] for name in ("kind", "shape", "dtype", "head")} == {
        "kind": "array",
        "shape": [2, 3],
        "dtype": "torch.float32",
        "head": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    }
    assert shown["stats"]["mean"] == 2.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpus_tensor_goes_back_to_it() -> None:
    model = torch.nn.Linear(50, 50).cuda()
    got = again(model)
    assert got.weight.device == model.weight.device
    assert torch.equal(got.weight, model.weight)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpus_tensor_is_read_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = pickling.dump(torch.ones(100).cuda(), "value").parts
    monkeypatch.setattr(sys.modules["torch"].cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="there is no GPU"):
        got = pickling.load(memoryview(bytearray(b"".join(parts))))
    assert (got.device.type, got.sum().item()) == ("cpu", 100.0)
