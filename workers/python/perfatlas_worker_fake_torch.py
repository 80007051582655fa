# SPDX-License-Identifier: Apache-2.0
"""For tests: the part of torch that workers on GPUs use, on numpy. "Device" memory is a copy of host memory, so that a
missing copy shows; graphs replay what was called inside the capture; time is the number of launches."""
import contextlib
import types

import numpy as np

_FP8 = np.dtype(np.uint8)  # bits only


class Tensor:
    """A view of numpy memory."""

    def __init__(self, data):
        self.data = data

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    device = "cuda"

    def to(self, _device):
        return Tensor(self.data.copy())

    def view(self, *shape):
        if len(shape) == 1 and isinstance(shape[0], np.dtype):
            return Tensor(self.data.view(shape[0]))
        shape = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        reshaped = self.data.reshape(shape)
        assert np.shares_memory(reshaped, self.data), "torch would refuse this view"
        return Tensor(reshaped)

    def copy_(self, other):
        self.data[...] = other.data
        return self

    def contiguous(self):
        return Tensor(np.ascontiguousarray(self.data))

    def transpose(self, a, b):
        return Tensor(self.data.swapaxes(a, b))

    def t(self):
        return Tensor(self.data.T)

    def long(self):
        return Tensor(self.data.astype(np.int64))

    def flatten(self):
        return Tensor(self.data.reshape(-1))

    def zero_(self):
        self.data[...] = 0

    def __getitem__(self, index):
        return Tensor(self.data[_plain(index)])

    def __setitem__(self, index, value):
        self.data[_plain(index)] = value.data

    def _binary(self, other, function):
        return Tensor(function(self.data, other.data if isinstance(other, Tensor) else other))

    def __mul__(self, other):
        return self._binary(other, np.multiply)

    def __add__(self, other):
        return self._binary(other, np.add)

    def __floordiv__(self, other):
        return self._binary(other, np.floor_divide)

    def __mod__(self, other):
        return self._binary(other, np.mod)


def _plain(index):
    if isinstance(index, tuple):
        return tuple(_plain(i) for i in index)
    return index.data if isinstance(index, Tensor) else index


def fake_torch():
    torch = types.ModuleType("torch")
    torch.__version__, torch.version = "0.0", types.SimpleNamespace(cuda="13.0")
    torch.replays, torch.launches, torch.capture_error = 0, 0, None
    for name in ("float32", "float16", "int8", "int32", "uint8"):
        setattr(torch, name, np.dtype(name))
    torch.bfloat16, torch.float8_e4m3fn = np.dtype(np.uint16), _FP8
    torch.ops = types.SimpleNamespace(_C=types.SimpleNamespace())
    torch.from_numpy = Tensor
    torch.inference_mode = contextlib.nullcontext
    torch.arange = lambda *bounds, dtype=np.dtype(np.int64), device=None: Tensor(np.arange(*bounds, dtype=dtype))
    torch.full = lambda shape, value, dtype=None, device=None: Tensor(np.full(shape, value, dtype))
    torch.ones = lambda shape, dtype=None, device=None: Tensor(np.ones(shape, dtype))
    torch.empty = lambda shape, dtype=None, device=None: Tensor(np.empty(shape, dtype))

    def mm(a, b, out):
        torch.launches += 1
        torch.recorded.append(lambda: mm(a, b, out)) if torch.recorded is not None else None
        out.data[...] = (a.data.astype(np.float32) @ b.data.astype(np.float32)).astype(out.data.dtype)

    torch.mm, torch.recorded = mm, None
    torch.cuda = _fake_cuda(torch)
    return torch


def _fake_cuda(torch):
    cuda = types.SimpleNamespace(capability=(9, 0))
    cuda.device_count = lambda: 1
    cuda.set_device = lambda number: None
    cuda.synchronize = lambda: None
    cuda.get_device_capability = lambda number: cuda.capability
    cuda.get_device_properties = lambda number: types.SimpleNamespace(name="Fake GPU", total_memory=1 << 30,
                                                                      L2_cache_size=1 << 20)

    class CUDAGraph:
        def replay(self):
            torch.replays += 1
            torch.launches += 1
            for call in self.calls:
                call()

    @contextlib.contextmanager
    def graph(made):
        if torch.capture_error:
            raise torch.capture_error
        torch.recorded = []
        yield
        made.calls, torch.recorded = torch.recorded, None

    class Event:
        def __init__(self, enable_timing):
            self.at = None

        def record(self):
            self.at = torch.launches

        def synchronize(self):
            pass

        def elapsed_time(self, end):
            return float(end.at - self.at)

    cuda.CUDAGraph, cuda.graph, cuda.Event = CUDAGraph, graph, Event
    return cuda
