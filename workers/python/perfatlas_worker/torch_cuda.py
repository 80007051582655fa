# SPDX-License-Identifier: Apache-2.0
"""What frameworks on NVIDIA GPUs share: tensors in device memory, CUDA graphs, events. Not run on a GPU yet: tested
against a torch that is none (perfatlas_worker_cuda_test.py).

The package keeps operands in host memory, where the supervisor's files are read and written. Every set of operands gets
tensors of its own on the device when its kernel is prepared, so that sets rotate there as they do on a CPU.
"""
import functools
import importlib.metadata
import re

import torch

from .framework import Case, Framework, Kernel, Launch

PAGE_TOKENS = 64  # of the paged KV cache
FLOATS = ("bfloat16", "float16", "float32")
_TYPES = {"float32": "float32", "tfloat32": "float32", "float16": "float16", "bfloat16": "bfloat16", "int8": "int8",
          "int32": "int32", "fp8": "float8_e4m3fn"}


class TorchCuda(Framework):
    """`package`: the distribution whose version names the rows; `written_for`: releases whose calls this module knows."""

    launch_mode = "graph"

    def __init__(self, backend: str, package: str, written_for: str):
        super().__init__(backend, "")
        self._package, self._written_for = package, written_for
        self._number = 0
        self._eviction = None
        self.launch_note = ""

    def select(self, device: str) -> None:
        match = re.fullmatch(r"(?:cuda:)?(\d+)", device)
        if not match:
            raise ValueError(f"'{device}' is no GPU; write cuda:0")
        self._number = int(match[1])

    def start(self, cores):
        """Raises ImportError when the framework is missing or is a release that this module does not know."""
        try:
            self.version = importlib.metadata.version(self._package)
        except importlib.metadata.PackageNotFoundError:
            raise ImportError(f"the package {self._package} is not there") from None
        if not self.version.startswith(self._written_for):
            raise ImportError(f"{self._package} {self.version} is installed, this worker was written for "
                              f"{self._written_for}*")
        if self._number >= torch.cuda.device_count():
            raise ImportError(f"cuda:{self._number} is not there: torch sees {torch.cuda.device_count()} GPUs")
        torch.cuda.set_device(self._number)

    def device(self, cores):
        properties = torch.cuda.get_device_properties(self._number)
        return {"id": f"cuda:{self._number}", "name": properties.name, "memory_bytes": properties.total_memory,
                "llc_bytes": properties.L2_cache_size}

    def versions(self):
        return {**super().versions(), "torch": torch.__version__, "cuda": str(torch.version.cuda)}

    def capability(self) -> int:
        """90 for Hopper."""
        major, minor = torch.cuda.get_device_capability(self._number)
        return 10 * major + minor

    def kernel(self, op, name, why_unsupported=lambda case: ""):
        """As Framework.kernel; `prepare` gets tensors on the device and returns what to launch there."""

        def add(prepare):
            self.kernels.append(Kernel(op, name, functools.partial(self._prepare, prepare), why_unsupported))
            return prepare

        return add

    def tensor(self, memory, dtype, shape):
        flat = torch.from_numpy(memory)
        if dtype not in _TYPES:
            return flat.to("cuda")
        on_device = flat.to("cuda").view(getattr(torch, _TYPES[dtype])).view(shape)
        on_device.host = flat  # what it was made from, and where results go
        return on_device

    def _prepare(self, prepare, case: Case, **tensors) -> Launch:
        made = prepare(case, **tensors)
        launch = made if isinstance(made, Launch) else Launch(made)

        def bring_there():
            for tensor in tensors.values():
                tensor.view(-1).view(torch.uint8).copy_(tensor.host)
            launch.before()

        def bring_back():
            torch.cuda.synchronize()
            launch.after()
            for operand in case.operands:
                if operand.written:
                    tensor = tensors[operand.name]
                    tensor.host.copy_(tensor.view(-1).view(torch.uint8))

        launch.run()  # loads, compiles and tunes
        torch.cuda.synchronize()
        return Launch(self._captured(launch.run), bring_there, bring_back)

    def _captured(self, run):
        """A replay of one launch; the launch itself where it cannot be captured, which is said in the row."""
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                run()
        except RuntimeError as error:
            torch.cuda.synchronize()
            self.launch_mode, self.launch_note = "eager", f"graph capture failed: {' '.join(str(error).split())}"
            return run
        self.launch_mode, self.launch_note = "graph", ""
        return graph.replay

    def timed_ms(self, launches):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for run in launches:
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def read_all(self, memory):
        """Writes more than twice the L2, whatever `memory` is."""
        if self._eviction is None:
            size = 2 * torch.cuda.get_device_properties(self._number).L2_cache_size + (1 << 20)
            self._eviction = torch.empty(size, dtype=torch.uint8, device="cuda")
        self._eviction.zero_()

    def measuring(self):
        return torch.inference_mode()


def only(operand: str, *dtypes: str):
    """Reason of kernels that take some types of an operand alone."""

    def why(case: Case) -> str:
        dtype = case.dtype(operand)
        return "" if dtype in dtypes else f"takes {', '.join(dtypes)}, not {dtype}"

    return why


def slots_of(page_table, first: int, count: int):
    """Slot in the cache of the positions first .. first+count-1 of every sequence, in the order of the new tokens."""
    position = torch.arange(first, first + count, device=page_table.device)
    return (page_table[:, position // PAGE_TOKENS].long() * PAGE_TOKENS + position % PAGE_TOKENS).flatten()


class PagesByToken:
    """Engines keep a page token by token; operands keep it head by head. Caches of one's own in the engine's layout:
    for random content any will do, and where results are judged they are brought there and back."""

    def __init__(self, *operands):
        self._operands = operands
        self.caches = tuple(operand.transpose(1, 2).contiguous() for operand in operands)

    def bring_there(self):
        for cache, operand in zip(self.caches, self._operands):
            cache.copy_(operand.transpose(1, 2))

    def bring_back(self):
        for cache, operand in zip(self.caches, self._operands):
            operand.copy_(cache.transpose(1, 2))


def lengths_of(case: Case, batch: int):
    """Cumulative new tokens and context lengths of sequences of equal length."""
    isl, step = case.number("isl"), case.number("step")
    starts = torch.arange(batch + 1, dtype=torch.int32, device="cuda") * isl
    return starts, torch.full((batch,), step + isl, dtype=torch.int32, device="cuda")
