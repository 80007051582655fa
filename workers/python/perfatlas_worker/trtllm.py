# SPDX-License-Identifier: Apache-2.0
"""Back end trtllm: GPU operators of TensorRT-LLM 1.2, registered with torch when it is imported (torch.ops.trtllm).

GEMM and experts only: its attention takes fused queries, keys and values and a cache manager of its own, for which the
operands of a case are of another shape. Not run on a GPU yet, and written without that release at hand.
"""
import torch

from .framework import Case
from .torch_cuda import FLOATS, TorchCuda, only

FRAMEWORK = TorchCuda("trtllm", "tensorrt_llm", "1.2.")


def ops():
    import tensorrt_llm  # noqa: F401  registers the operators
    return torch.ops.trtllm


@FRAMEWORK.kernel("gemm", "trtllm_cublas_mm", only("a", *FLOATS))
def cublas_mm(_case, a, w, d):
    weights, launch = w.t(), ops().cublas_mm
    return lambda: d.copy_(launch(a, weights, None, d.dtype))


def why_no_scaled_mm(case: Case) -> str:
    if case.fields["gemm_dtype"] not in ("fp8", "fp8_static"):
        return f"takes fp8 with a scale per tensor, not {case.fields['gemm_dtype']}"
    return "" if FRAMEWORK.capability() >= 89 else "needs compute capability 8.9"


@FRAMEWORK.kernel("gemm", "trtllm_cublas_scaled_mm", why_no_scaled_mm)
def cublas_scaled_mm(_case, a, w, d):
    one = torch.ones(1, dtype=torch.float32, device="cuda")
    weights, launch = w.t(), ops().cublas_scaled_mm
    return lambda: d.copy_(launch(a, weights, one, one, None, d.dtype))


def why_no_moe(case: Case) -> str:
    if case.number("moe_ep_size") != 1:
        return "experts of one rank alone: needs moe_ep_size 1"
    return only("w13", "bfloat16", "float16")(case)


@FRAMEWORK.kernel("moe", "trtllm_fused_moe_cutlass", why_no_moe)
def moe(case, x, logits, w13, w2, out):
    """Its operator takes the up part of the first product before the gate: the same work on the weights as they lie."""
    experts, parts, inter, hidden = w13.shape
    gate_up, topk, launch = w13.view(experts, parts * inter, hidden), case.number("topk"), ops().fused_moe
    ordered = torch.cat([gate_up[:, inter:], gate_up[:, :inter]], 1) if parts == 2 else gate_up

    def run():
        chosen, ids = torch.topk(logits.float(), topk)
        result = launch(x, ids.int(), torch.softmax(chosen, -1), ordered, None, w2, None, out.dtype, None)
        out.copy_(result[0] if isinstance(result, (list, tuple)) else result)

    return run
