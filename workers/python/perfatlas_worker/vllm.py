# SPDX-License-Identifier: Apache-2.0
"""Back end vllm: the GPU kernels of vLLM 0.32, called as its layers call them (vllm/v1/attention/backends/flash_attn.py
and mla/flashmla.py, vllm/model_executor/layers/fused_moe). One GPU; its KV cache is token by token within a page.

Not run on a GPU yet.
"""
import torch

from .framework import Case, Launch
from .torch_cuda import FLOATS, PagesByToken, TorchCuda, lengths_of, only, slots_of

FRAMEWORK = TorchCuda("vllm", "vllm", "0.32.")


def ops():
    from vllm import _custom_ops  # loads the library of operators
    return _custom_ops


# ---- gemm ----------------------------------------------------------------------------------------------------------

@FRAMEWORK.kernel("gemm", "vllm_linear", only("a", *FLOATS))
def linear(_case, a, w, d):
    """What its unquantised linear layers call."""
    weights = w.t()
    return lambda: torch.mm(a, weights, out=d)


def why_no_scaled_mm(case: Case) -> str:
    if case.fields["gemm_dtype"] not in ("fp8", "fp8_static"):
        return f"takes fp8 with a scale per tensor, not {case.fields['gemm_dtype']}"
    if case.number("n") % 16 or case.number("k") % 16:
        return "needs n and k in multiples of 16"
    return "" if FRAMEWORK.capability() >= 89 else "needs compute capability 8.9"


@FRAMEWORK.kernel("gemm", "vllm_cutlass_scaled_mm", why_no_scaled_mm)
def scaled_mm(_case, a, w, d):
    one = torch.ones(1, dtype=torch.float32, device="cuda")
    weights, launch = w.t(), torch.ops._C.cutlass_scaled_mm
    ops()
    return lambda: launch(d, a, weights, one, one, None)


# ---- attention -----------------------------------------------------------------------------------------------------

def why_no_attention(case: Case) -> str:
    if case.dtype("k_cache") != case.dtype("q"):
        return f"takes a cache of the queries' type here, not {case.dtype('k_cache')}"
    if case.number("head_dim") % 8 or case.number("head_dim") > 256:
        return "takes heads of at most 256 elements, in multiples of 8"
    return only("q", "bfloat16", "float16")(case)


@FRAMEWORK.kernel("attention_generation", "vllm_flash_attn", why_no_attention)
@FRAMEWORK.kernel("attention_context", "vllm_flash_attn", why_no_attention)
def attention(case, q, k, v, k_cache, v_cache, page_table, out):
    from vllm.v1.attention.backends.fa_utils import get_flash_attn_version
    from vllm.vllm_flash_attn import flash_attn_varlen_func
    batch, isl, step, window = (case.number(name) for name in ("batch_size", "isl", "step", "window_size"))
    slots, (starts, lengths) = slots_of(page_table, step, isl), lengths_of(case, batch)
    pages, one = PagesByToken(k_cache, v_cache), torch.ones(1, dtype=torch.float32, device="cuda")
    keys, values = pages.caches
    write = ops().reshape_and_cache_flash
    version = get_flash_attn_version(head_size=q.shape[-1])
    seen = [window - 1, 0] if window else None

    def launch():
        write(k, v, keys, values, slots, "auto", one, one)
        flash_attn_varlen_func(q=q, k=keys, v=values, out=out, max_seqlen_q=isl, cu_seqlens_q=starts,
                               max_seqlen_k=step + isl, seqused_k=lengths, softmax_scale=q.shape[-1]**-0.5,
                               causal=True, window_size=seen, block_table=page_table, fa_version=version)

    return Launch(launch, pages.bring_there, pages.bring_back)


# ---- latent attention ----------------------------------------------------------------------------------------------

MLA_LATENT = 512


def why_no_mla(case: Case) -> str:
    if case.dtype("latent_cache") != case.dtype("q"):
        return f"takes a cache of the queries' type here, not {case.dtype('latent_cache')}"
    if FRAMEWORK.capability() // 10 not in (9, 10):
        return "FlashMLA needs compute capability 9.0 or 10.0"
    return only("q", "bfloat16")(case)


@FRAMEWORK.kernel("mla_generation", "vllm_flashmla", why_no_mla)
def mla(case, q, latent, latent_cache, page_table, out):
    from vllm.v1.attention.ops.flashmla import flash_mla_with_kvcache, get_mla_metadata
    batch, heads, width = q.shape
    step = case.number("step")
    slots = slots_of(page_table, step, 1)
    lengths = torch.full((batch,), step + 1, dtype=torch.int32, device="cuda")
    new, rotated = latent[:, :MLA_LATENT].contiguous(), latent[:, MLA_LATENT:].contiguous()
    one, write = torch.ones(1, dtype=torch.float32, device="cuda"), ops().concat_and_cache_mla
    plan, splits = get_mla_metadata(lengths, heads, 1)  # once per step, not per layer
    queries, cache = q.view(batch, 1, heads, width), latent_cache.view(-1, latent_cache.shape[1], 1, width)

    def launch():
        write(new, rotated, latent_cache, slots, "auto", one)
        result, _ = flash_mla_with_kvcache(queries, cache, page_table, lengths, MLA_LATENT, plan, splits,
                                           softmax_scale=192**-0.5, causal=True)
        out.copy_(result.view(batch, heads, MLA_LATENT))

    return launch


# ---- mixture of experts --------------------------------------------------------------------------------------------

def why_no_moe(case: Case) -> str:
    if case.number("moe_ep_size") != 1:
        return "experts of one rank alone: needs moe_ep_size 1"
    if case.fields.get("gated", "true") not in ("true", "1"):
        return "gated experts only"
    return only("w13", "bfloat16", "float16")(case)


@FRAMEWORK.kernel("moe", "vllm_fused_experts", why_no_moe)
def moe(case, x, logits, w13, w2, out):
    from vllm.model_executor.layers.fused_moe.fused_moe import fused_experts
    from vllm.model_executor.layers.fused_moe.router.fused_topk_router import fused_topk
    experts, parts, inter, hidden = w13.shape
    gate_up, topk = w13.view(experts, parts * inter, hidden), case.number("topk")

    def launch():
        weights, ids, _ = fused_topk(x, logits, topk, renormalize=True)
        out.copy_(fused_experts(x, gate_up, w2, weights, ids))

    return launch
