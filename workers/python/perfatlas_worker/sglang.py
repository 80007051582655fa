# SPDX-License-Identifier: Apache-2.0
"""Back end sglang: the GPU kernels of SGLang 0.5, called as its layers call them (sglang/srt/layers/attention/
flashattention_backend.py, sglang/srt/layers/moe/fused_moe_triton). One GPU; its KV cache is token by token.

Not run on a GPU yet, and written without that release at hand.
"""
import torch

from .framework import Case, Launch
from .torch_cuda import FLOATS, PagesByToken, TorchCuda, lengths_of, only, slots_of

FRAMEWORK = TorchCuda("sglang", "sglang", "0.5.")


@FRAMEWORK.kernel("gemm", "sglang_linear", only("a", *FLOATS))
def linear(_case, a, w, d):
    """What its unquantised linear layers call."""
    weights = w.t()
    return lambda: torch.mm(a, weights, out=d)


def why_no_fp8_gemm(case: Case) -> str:
    if case.fields["gemm_dtype"] not in ("fp8", "fp8_static"):
        return f"takes fp8 with scales per row, not {case.fields['gemm_dtype']}"
    if case.number("n") % 16 or case.number("k") % 16:
        return "needs n and k in multiples of 16"
    return "" if FRAMEWORK.capability() >= 89 else "needs compute capability 8.9"


@FRAMEWORK.kernel("gemm", "sglang_fp8_scaled_mm", why_no_fp8_gemm)
def fp8_scaled_mm(_case, a, w, d):
    from sgl_kernel import fp8_scaled_mm as multiply
    rows, features = (torch.ones((count, 1), dtype=torch.float32, device="cuda")
                      for count in (a.shape[0], w.shape[0]))
    weights = w.t()
    return lambda: d.copy_(multiply(a, weights, rows, features, d.dtype))


def why_no_attention(case: Case) -> str:
    if case.dtype("k_cache") != case.dtype("q"):
        return f"takes a cache of the queries' type here, not {case.dtype('k_cache')}"
    if FRAMEWORK.capability() // 10 != 9:
        return "FlashAttention-3 needs compute capability 9.0"
    return only("q", "bfloat16", "float16")(case)


@FRAMEWORK.kernel("attention_generation", "sglang_flash_attn_with_kvcache", why_no_attention)
@FRAMEWORK.kernel("attention_context", "sglang_flash_attn_with_kvcache", why_no_attention)
def attention(case, q, k, v, k_cache, v_cache, page_table, out):
    from sgl_kernel.flash_attn import flash_attn_with_kvcache
    batch, isl, step, window = (case.number(name) for name in ("batch_size", "isl", "step", "window_size"))
    slots, (starts, lengths) = slots_of(page_table, step, isl), lengths_of(case, batch)
    pages = PagesByToken(k_cache, v_cache)
    keys, values = pages.caches
    key_rows, value_rows = (cache.view(-1, *cache.shape[2:]) for cache in pages.caches)
    seen = (window - 1, 0) if window else (-1, -1)

    def launch():
        key_rows[slots] = k
        value_rows[slots] = v
        out.copy_(flash_attn_with_kvcache(q=q, k_cache=keys, v_cache=values, page_table=page_table,
                                          cache_seqlens=lengths, cu_seqlens_q=starts, max_seqlen_q=isl,
                                          softmax_scale=q.shape[-1]**-0.5, causal=True, window_size=seen))

    return Launch(launch, pages.bring_there, pages.bring_back)


MLA_LATENT = 512


def why_no_mla(case: Case) -> str:
    if case.dtype("latent_cache") != case.dtype("q"):
        return f"takes a cache of the queries' type here, not {case.dtype('latent_cache')}"
    if FRAMEWORK.capability() // 10 != 9:
        return "FlashAttention-3 needs compute capability 9.0"
    return only("q", "bfloat16")(case)


@FRAMEWORK.kernel("mla_generation", "sglang_flash_attn_mla", why_no_mla)
def mla(case, q, latent, latent_cache, page_table, out):
    """Absorbed: the rotated parts are queries and keys, the latent parts are values that queries see, too."""
    from sgl_kernel.flash_attn import flash_attn_with_kvcache
    batch, step = q.shape[0], case.number("step")
    slots, (starts, lengths) = slots_of(page_table, step, 1), lengths_of(case, batch)
    rows = latent_cache.view(-1, latent_cache.shape[-1])
    pages = latent_cache.view(-1, latent_cache.shape[1], 1, latent_cache.shape[2])
    values, keys = pages[..., :MLA_LATENT], pages[..., MLA_LATENT:]
    latent_queries, rotated_queries = q[..., :MLA_LATENT], q[..., MLA_LATENT:]

    def launch():
        rows[slots] = latent
        out.copy_(flash_attn_with_kvcache(q=rotated_queries, k_cache=keys, v_cache=values, qv=latent_queries,
                                          page_table=page_table, cache_seqlens=lengths, cu_seqlens_q=starts,
                                          max_seqlen_q=1, softmax_scale=192**-0.5, causal=True))

    return launch


def why_no_moe(case: Case) -> str:
    if case.number("moe_ep_size") != 1:
        return "experts of one rank alone: needs moe_ep_size 1"
    return only("w13", "bfloat16", "float16")(case)


@FRAMEWORK.kernel("moe", "sglang_fused_moe_triton", why_no_moe)
def moe(case, x, logits, w13, w2, out):
    from sglang.srt.layers.moe.fused_moe_triton.fused_moe import fused_moe
    from sglang.srt.layers.moe.topk import TopKConfig, select_experts
    experts, parts, inter, hidden = w13.shape
    gate_up = w13.view(experts, parts * inter, hidden)
    routing = TopKConfig(top_k=case.number("topk"), renormalize=True)

    def launch():
        out.copy_(fused_moe(x, gate_up, w2, select_experts(x, logits, routing)))

    return launch
