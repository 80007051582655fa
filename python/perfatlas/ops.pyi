# SPDX-License-Identifier: Apache-2.0
# Made by `make docs` from the declarations in perfatlas/ops/; CI fails when it is stale.
from typing import Any, ClassVar, Literal, Union

import numpy

IntOrArray = Union[int, numpy.ndarray[Any, Any]]

class Gemm:
    """Dense linear layer: row-major activations, one weight row per output feature, fp32 accumulation."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of weights and activations
    m: IntOrArray  # tokens in the step
    n: IntOrArray  # output features on this rank
    k: IntOrArray  # input features on this rank
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        m: IntOrArray = 1,
        n: IntOrArray = 1,
        k: IntOrArray = 1,
    ) -> None: ...

class AttentionContext:
    """Causal attention of new tokens, which are written to the paged KV cache, and of a cached prefix."""
    op_id: ClassVar[str]
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    heads: IntOrArray  # query heads on this rank
    kv_heads: IntOrArray  # key/value heads on this rank; divides the query heads
    head_dim: IntOrArray  # elements per head
    window: IntOrArray  # positions a token sees, its own included; 0: all
    beam_width: IntOrArray  # always 1
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        heads: IntOrArray = 1,
        kv_heads: IntOrArray = 1,
        head_dim: IntOrArray = 128,
        window: IntOrArray = 0,
        beam_width: IntOrArray = 1,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        step: IntOrArray = 0,
    ) -> None: ...

class AttentionGeneration:
    """Attention of one new token per sequence to its whole paged KV cache."""
    op_id: ClassVar[str]
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence: always 1
    heads: IntOrArray  # query heads on this rank
    kv_heads: IntOrArray  # key/value heads on this rank; divides the query heads
    head_dim: IntOrArray  # elements per head
    window: IntOrArray  # positions a token sees, its own included; 0: all
    beam_width: IntOrArray  # always 1
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        heads: IntOrArray = 1,
        kv_heads: IntOrArray = 1,
        head_dim: IntOrArray = 128,
        window: IntOrArray = 0,
        beam_width: IntOrArray = 1,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        step: IntOrArray = 1,
    ) -> None: ...

class EncoderAttention:
    """Attention of an encoder: no mask, no KV cache, as many key/value heads as query heads."""
    op_id: ClassVar[str]
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # tokens (patches, frames) per sequence
    heads: IntOrArray  # heads on this rank
    head_dim: IntOrArray  # elements per head
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of operands and products
    def __init__(
        self,
        *,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        heads: IntOrArray = 1,
        head_dim: IntOrArray = 64,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
    ) -> None: ...

class MlaContext:
    """Causal multi-head attention with keys of 192 and values of 128 elements, expanded from latent rows; writes the latent cache."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks the heads of the model are split over
    step: IntOrArray  # tokens per sequence before the new ones
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class MlaGeneration:
    """Absorbed latent attention of one new token per sequence to its paged latent cache."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence: always 1
    tp: IntOrArray  # ranks the heads of the model are split over
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 1,
    ) -> None: ...

class MlaBmm:
    """Per-head product that absorbs the key expansion into queries, or expands the latent result."""
    op_id: ClassVar[str]
    direction: Literal["mla_gen_pre", "mla_gen_post"]  # before or after the attention
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of weights and activations
    tokens: IntOrArray  # tokens in the step
    heads: IntOrArray  # heads on this rank
    def __init__(
        self,
        *,
        direction: Literal["mla_gen_pre", "mla_gen_post"] = "mla_gen_pre",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        heads: IntOrArray = 128,
    ) -> None: ...

class AddRmsNorm:
    """Residual addition fused with RMS normalisation of the sum; the residual is updated in place."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of every operand
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # elements per token
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 1,
    ) -> None: ...

class Moe:
    """Expert layer on one rank: top-k of the router logits, permutation, two grouped products with the activation between them, weighted sum."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step, of all expert-parallel ranks
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: balanced, or power_law_A with exponent A, e.g. power_law_1.2
    gated: bool  # SwiGLU experts with three matrices; else squared ReLU, two
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 1,
        inter: IntOrArray = 1,
        topk: IntOrArray = 1,
        experts: IntOrArray = 1,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
        gated: bool = True,
    ) -> None: ...

class RmsNorm:
    """RMS normalisation of rows."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of every operand
    tokens: IntOrArray  # rows: tokens in the step (times heads for head norms)
    hidden: IntOrArray  # elements per row
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 1,
    ) -> None: ...

class Rope:
    """Rotary position embedding of queries and keys in place, from a table of cosines and sines."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of queries and keys
    tokens: IntOrArray  # tokens in the step
    heads: IntOrArray  # query heads on this rank
    kv_heads: IntOrArray  # key heads on this rank
    head_dim: IntOrArray  # elements per query head
    rotary_dim: IntOrArray  # rotated elements per head; even
    rotary_offset: IntOrArray  # elements of a query head before the rotated ones; above 0 the keys are the rotated part alone
    positions: IntOrArray  # rows of the table of cosines and sines
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        heads: IntOrArray = 1,
        kv_heads: IntOrArray = 1,
        head_dim: IntOrArray = 128,
        rotary_dim: IntOrArray = 128,
        rotary_offset: IntOrArray = 0,
        positions: IntOrArray = 8192,
    ) -> None: ...

class KvCacheWrite:
    """Copies the keys and values (or the MLA latent) of new tokens into the paged KV cache."""
    op_id: ClassVar[str]
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    kv_heads: IntOrArray  # key/value heads on this rank; MLA: 1
    head_dim: IntOrArray  # elements per head of a cache
    rope_dim: IntOrArray  # 0: key and value caches; else one latent cache whose last elements are this many rotated ones
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the new tokens
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        kv_heads: IntOrArray = 1,
        head_dim: IntOrArray = 128,
        rope_dim: IntOrArray = 0,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        step: IntOrArray = 0,
    ) -> None: ...

class Mamba2:
    """Kernels of a Mamba-2 mixer between its projections: short convolution and state space recurrence, of prompts and of single tokens; bf16 activations, fp32 recurrent state."""
    op_id: ClassVar[str]
    sub_kernel: str  # causal_conv1d_fn or mamba_chunk_scan_combined (context), causal_conv1d_update or selective_state_update (generation)
    phase: Literal["context", "generation"]  # prompts or single tokens
    batch: IntOrArray  # sequences of equal length
    seq: IntOrArray  # new tokens per sequence; 1 in generation
    tokens: IntOrArray  # batch_size * seq_len
    d_model: IntOrArray  # hidden size of the model; the kernels do not see it
    d_state: IntOrArray  # state elements per channel
    d_conv: IntOrArray  # width of the convolution
    heads: IntOrArray  # heads on this rank
    head_dim: IntOrArray  # channels per head
    groups: IntOrArray  # groups of heads that share B and C; divides nheads
    chunk: IntOrArray  # tokens per chunk of the scan
    model: str  # whose shape it is
    def __init__(
        self,
        *,
        sub_kernel: str = "causal_conv1d_fn",
        phase: Literal["context", "generation"] = "context",
        batch: IntOrArray = 1,
        seq: IntOrArray = 1,
        tokens: IntOrArray = 1,
        d_model: IntOrArray = 4096,
        d_state: IntOrArray = 128,
        d_conv: IntOrArray = 4,
        heads: IntOrArray = 128,
        head_dim: IntOrArray = 64,
        groups: IntOrArray = 8,
        chunk: IntOrArray = 128,
        model: str = "",
    ) -> None: ...

class Gdn:
    """Kernels of a gated delta network layer between its projections: short convolution and gated delta rule, of prompts and of single tokens; bf16 activations, fp32 recurrent state."""
    op_id: ClassVar[str]
    sub_kernel: str  # causal_conv1d_fn or chunk_gated_delta_rule (context), causal_conv1d_update or fused_recurrent_gated_delta_rule (generation); published tables have other names too
    phase: Literal["context", "generation"]  # prompts or single tokens
    batch: IntOrArray  # sequences of equal length
    seq: IntOrArray  # new tokens per sequence; 1 in generation
    tokens: IntOrArray  # batch_size * seq_len
    d_model: IntOrArray  # hidden size of the model; the kernels do not see it
    d_conv: IntOrArray  # width of the convolution
    k_heads: IntOrArray  # query and key heads on this rank
    k_dim: IntOrArray  # elements per query and key
    v_heads: IntOrArray  # value heads on this rank; a multiple of num_k_heads
    v_dim: IntOrArray  # elements per value
    model: str  # whose shape it is
    def __init__(
        self,
        *,
        sub_kernel: str = "causal_conv1d_fn",
        phase: Literal["context", "generation"] = "context",
        batch: IntOrArray = 1,
        seq: IntOrArray = 1,
        tokens: IntOrArray = 1,
        d_model: IntOrArray = 4096,
        d_conv: IntOrArray = 4,
        k_heads: IntOrArray = 16,
        k_dim: IntOrArray = 128,
        v_heads: IntOrArray = 32,
        v_dim: IntOrArray = 128,
        model: str = "",
    ) -> None: ...

class Collective:
    """One collective call of every rank of a group, out of place; the slowest rank's time."""
    op_id: ClassVar[str]
    kind: Literal["all_gather", "alltoall", "reduce_scatter", "all_reduce"]  # which collective
    dtype: Literal["half", "int8", "float", "bfloat16"]  # element type
    ranks: IntOrArray  # ranks of the group
    elements: IntOrArray  # elements (not bytes) of the larger buffer of a rank
    def __init__(
        self,
        *,
        kind: Literal["all_gather", "alltoall", "reduce_scatter", "all_reduce"] = "all_reduce",
        dtype: Literal["half", "int8", "float", "bfloat16"] = "half",
        ranks: IntOrArray = 2,
        elements: IntOrArray = 1024,
    ) -> None: ...

class P2p:
    """Every rank sends to the next one and receives from the one before; the slowest rank's time."""
    op_id: ClassVar[str]
    dtype: Literal["half", "int8", "float", "bfloat16"]  # element type
    ranks: IntOrArray  # ranks of the ring
    elements: IntOrArray  # elements (not bytes) that each rank sends
    def __init__(
        self,
        *,
        dtype: Literal["half", "int8", "float", "bfloat16"] = "half",
        ranks: IntOrArray = 2,
        elements: IntOrArray = 1024,
    ) -> None: ...

class CustomAllReduce:
    """Sum over the ranks of a group by a serving framework's own kernel."""
    op_id: ClassVar[str]
    dtype: Literal["half", "int8", "float", "bfloat16"]  # element type
    ranks: IntOrArray  # ranks of the group
    elements: IntOrArray  # elements (not bytes) of each rank
    implementation: str  # whose kernel, as published
    row_backend: str  # whose kernel and whether it was launched in a graph, as published: vllm_graph, vllm_eager
    def __init__(
        self,
        *,
        dtype: Literal["half", "int8", "float", "bfloat16"] = "bfloat16",
        ranks: IntOrArray = 2,
        elements: IntOrArray = 1024,
        implementation: str = "",
        row_backend: str = "",
    ) -> None: ...

class Activation:
    """Activation function of a feed-forward block, with the product of its gate where there is one."""
    op_id: ClassVar[str]
    kind: Literal["silu_mul", "gelu_mul", "gelu", "relu2"]  # the function
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of input and output
    tokens: IntOrArray  # rows: tokens in the step
    inter: IntOrArray  # elements per row of the result on this rank
    def __init__(
        self,
        *,
        kind: Literal["silu_mul", "gelu_mul", "gelu", "relu2"] = "silu_mul",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        inter: IntOrArray = 64,
    ) -> None: ...

class Embedding:
    """Gathers one row of the embedding table per token."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the table
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # elements per row
    vocab: IntOrArray  # rows of the table on this rank
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 1,
        vocab: IntOrArray = 1,
    ) -> None: ...

class LogitsSample:
    """Top-k and top-p sampling of one token per request from its logits."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the logits
    batch: IntOrArray  # requests in the step
    vocab: IntOrArray  # logits per request
    topk: IntOrArray  # largest logits kept; 1: greedy
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "float32",
        batch: IntOrArray = 1,
        vocab: IntOrArray = 1,
        topk: IntOrArray = 1,
    ) -> None: ...

class ComputeScale:
    """Reduction that finds the scale (or the scales) with which an activation is quantised."""
    op_id: ClassVar[str]
    m: IntOrArray  # tokens in the step
    k: IntOrArray  # features per token
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # fp8 or int8 (per tensor), fp8_rowwise, fp8_block (1x128)
    def __init__(
        self,
        *,
        m: IntOrArray = 1,
        k: IntOrArray = 1,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
    ) -> None: ...

class ScaleMatrix:
    """Quantises an activation with given scales (static quantisation)."""
    op_id: ClassVar[str]
    m: IntOrArray  # tokens in the step
    k: IntOrArray  # features per token
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # fp8 or int8 (per tensor), fp8_rowwise, fp8_block (1x128)
    def __init__(
        self,
        *,
        m: IntOrArray = 1,
        k: IntOrArray = 1,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
    ) -> None: ...

class DsaMqaLogits:
    """Lightning indexer: weighted rectified products of every index head with the paged index cache."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes head sizes, indexer and top-k: DeepseekV32ForCausalLM, GlmMoeDsaForCausalLM or TinyDsa
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # of the model's linear layers: not used here
    heads: IntOrArray  # query heads of the model: the index heads follow from the architecture
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # always 1
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 1,
    ) -> None: ...

class DsaTopk:
    """Positions of the largest indexer scores of every new token."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes head sizes, indexer and top-k: DeepseekV32ForCausalLM, GlmMoeDsaForCausalLM or TinyDsa
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # of the model's linear layers: not used here
    heads: IntOrArray  # query heads of the model: all of them share one selection
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # always 1
    score_mode: Literal["normal", "flat", "top_last"]  # distribution of the scores
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 1,
        score_mode: Literal["normal", "flat", "top_last"] = "normal",
    ) -> None: ...

class DsaAttention:
    """Latent attention of every new token to the cached tokens that were selected for it."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes head sizes, indexer and top-k: DeepseekV32ForCausalLM, GlmMoeDsaForCausalLM or TinyDsa
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # of the model's linear layers: not used here
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # always 1
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 1,
    ) -> None: ...

class DsaContextModule:
    """Whole sparse attention block for new tokens: projections, norms, RoPE, cache writes, indexer, selection, attention to selected tokens, output projection."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class DsaGenerationModule:
    """Whole sparse attention block for one new token per sequence, with indexer."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class DsaContextModuleSkipIndexer:
    """Whole sparse attention block for new tokens that reuses the selection of an earlier layer."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class DsaGenerationModuleSkipIndexer:
    """Whole sparse attention block for one new token per sequence that reuses a selection."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3.2",
        architecture: str = "DeepseekV32ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class MlaContextModule:
    """Whole latent attention block for new tokens: down- and up-projections, norms, RoPE, cache write, causal attention with expanded keys and values, output projection."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3",
        architecture: str = "DeepseekV3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class MlaGenerationModule:
    """Whole latent attention block for one new token per sequence: projections, norms, RoPE, cache write, absorbed attention to the paged latents, output projection."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V3",
        architecture: str = "DeepseekV3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class Kda:
    """Kernels of a Kimi Delta Attention layer between its projections: short convolution of q, k and v, and delta rule with a decay per key channel, of prompts, of single tokens and of drafts to verify."""
    op_id: ClassVar[str]
    sub_kernel: str  # causal_conv1d_fn_qkv3 or chunk_kda (context), causal_conv1d_update or fused_recurrent_kda_packed_decode (generation), fused_sigmoid_gating_delta_rule_update (verify); published tables have other names too
    phase: Literal["context", "generation", "verify"]  # prompts, single tokens or drafts
    batch: IntOrArray  # sequences of equal length
    seq: IntOrArray  # new or draft tokens per sequence; 1 in generation
    tokens: IntOrArray  # batch_size * seq_len
    d_model: IntOrArray  # hidden size of the model; the kernels do not see it
    d_conv: IntOrArray  # width of the convolution
    k_heads: IntOrArray  # query and key heads on this rank
    k_dim: IntOrArray  # elements per query and key
    v_heads: IntOrArray  # value heads on this rank; as many as num_k_heads
    v_dim: IntOrArray  # elements per value
    model: str  # whose shape it is
    def __init__(
        self,
        *,
        sub_kernel: str = "causal_conv1d_fn_qkv3",
        phase: Literal["context", "generation", "verify"] = "context",
        batch: IntOrArray = 1,
        seq: IntOrArray = 1,
        tokens: IntOrArray = 1,
        d_model: IntOrArray = 7168,
        d_conv: IntOrArray = 4,
        k_heads: IntOrArray = 96,
        k_dim: IntOrArray = 128,
        v_heads: IntOrArray = 96,
        v_dim: IntOrArray = 128,
        model: str = "",
    ) -> None: ...

class MhcModule:
    """Hyper-connections around the sub-layers of a block: the mixing weights of a token and the sub-layer's input (pre), or the new residual streams (post), for all sites of a block."""
    op_id: ClassVar[str]
    direction: Literal["pre", "post"]  # before or after the sub-layer
    architecture: str  # whose shape it is
    tokens: IntOrArray  # tokens in the step
    sites: IntOrArray  # sub-layers in one measurement
    hc: IntOrArray  # residual streams
    hidden: IntOrArray  # elements per stream
    sinkhorn: IntOrArray  # normalisations of columns and rows
    def __init__(
        self,
        *,
        direction: Literal["pre", "post"] = "pre",
        architecture: str = "DeepseekV4ForCausalLM",
        tokens: IntOrArray = 1,
        sites: IntOrArray = 2,
        hc: IntOrArray = 4,
        hidden: IntOrArray = 4096,
        sinkhorn: IntOrArray = 20,
    ) -> None: ...

class Dsv4CsaContextModule:
    """Whole DeepSeek-V4 block with selected compressed tokens, for new tokens; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 4,
    ) -> None: ...

class Dsv4HcaContextModule:
    """Whole DeepSeek-V4 block with all compressed tokens, for new tokens; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 128,
    ) -> None: ...

class Dsv4CsaGenerationModule:
    """Whole DeepSeek-V4 block with selected compressed tokens, for one new token per sequence; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 4,
    ) -> None: ...

class Dsv4HcaGenerationModule:
    """Whole DeepSeek-V4 block with all compressed tokens, for one new token per sequence; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 128,
    ) -> None: ...

class Dsv4PagedMqaLogitsModule:
    """Scores of the compressed tokens by the indexer of a CSA block; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    local_heads: IntOrArray  # as num_heads
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 4,
        local_heads: IntOrArray = 128,
    ) -> None: ...

class Dsv4HcaAttnModule:
    """Attention of an HCA block to the window and to all compressed tokens; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    local_heads: IntOrArray  # as num_heads
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 128,
        local_heads: IntOrArray = 128,
    ) -> None: ...

class Dsv4CsaAttnModule:
    """Attention of a CSA block to the window and to the selected compressed tokens; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    local_heads: IntOrArray  # as num_heads
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 4,
        local_heads: IntOrArray = 128,
    ) -> None: ...

class Dsv4CsaTopkCalib:
    """Selection of the top compressed tokens of a CSA block, per way in which the scores are laid out; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model: with num_heads it gives the model's own heads
    step: IntOrArray  # tokens per sequence already in the cache
    compress: IntOrArray  # tokens per compressed one: 4 (CSA) or 128 (HCA)
    score_mode: str  # v1_flat, v1_top_last and so on: where the large scores lie
    def __init__(
        self,
        *,
        model: str = "deepseek-ai/DeepSeek-V4-Pro",
        architecture: str = "DeepseekV4ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
        compress: IntOrArray = 4,
        score_mode: str = "v1_flat",
    ) -> None: ...

class MsaContextModule:
    """Whole block-sparse attention block of MiniMax-M3 for new tokens; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # MiniMaxM3ForCausalLM
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "MiniMaxAI/MiniMax-M3",
        architecture: str = "MiniMaxM3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class MsaGenerationModule:
    """Whole block-sparse attention block of MiniMax-M3 for one new token per sequence; imported tables only."""
    op_id: ClassVar[str]
    model: str  # checkpoint whose sizes were taken
    architecture: str  # MiniMaxM3ForCausalLM
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # type of the products of attention
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence
    tp: IntOrArray  # ranks of the model; heads are local already
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        model: str = "MiniMaxAI/MiniMax-M3",
        architecture: str = "MiniMaxM3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        heads: IntOrArray = 1,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class MoeLowLatency:
    """Expert layer on one rank by kernels for few tokens; imported tables only."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class WideEpContextMoe:
    """Experts of one rank behind DeepEP, for new tokens; imported tables only."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class WideEpGenerationMoe:
    """Experts of one rank behind DeepEP, for one new token per sequence; imported tables only."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class WideEpMoe:
    """Experts of one rank of TensorRT-LLM's wide expert parallelism; imported tables only."""
    op_id: ClassVar[str]
    name: str  # wideep_moe or wideep_moe_eplb
    kernel_source: str  # kernel of the products
    moe_kernel: str  # its short name
    dp_num_tokens: IntOrArray  # tokens of one rank
    rank0_num_tokens: IntOrArray  # tokens that reached the measured rank
    slots: IntOrArray  # experts with their copies
    simulation_mode: str  # how the other ranks were emulated
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        name: str = "wideep_moe",
        kernel_source: str = "wideep_compute_cutlass",
        moe_kernel: str = "cutlass",
        dp_num_tokens: IntOrArray = 1,
        rank0_num_tokens: IntOrArray = 1,
        slots: IntOrArray = 256,
        simulation_mode: str = "accurate",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class ExpertCompute:
    """Experts of one rank of a wide expert-parallel group; imported tables only."""
    op_id: ClassVar[str]
    kernel_source: str  # kernel of the products
    phase: str  # context or generation
    slots: IntOrArray  # experts with their copies
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        kernel_source: str = "deepep_moe",
        phase: str = "context",
        slots: IntOrArray = 256,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class WideEpContextMlp:
    """Dense gated feed-forward block beside wide expert parallelism; imported tables only."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
    ) -> None: ...

class WideEpGenerationMlp:
    """Dense gated feed-forward block beside wide expert parallelism; imported tables only."""
    op_id: ClassVar[str]
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features
    def __init__(
        self,
        *,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
    ) -> None: ...

class Dsv4MegaMoe:
    """Experts of DeepSeek-V4 with the exchange between ranks in one kernel; imported tables only."""
    op_id: ClassVar[str]
    phase: str  # context or generation
    kernel_dtype: str  # types of the products: fp8_fp4
    global_num_tokens: IntOrArray  # tokens of all ranks
    shared_experts: IntOrArray  # shared experts inside the kernel
    source_policy: str  # where tokens come from
    pre_dispatch: str  # who prepares the exchange
    num_max_tokens_per_rank: IntOrArray  # size of the buffer asked for
    effective_num_max_tokens_per_rank: IntOrArray  # size of the buffer in use
    includes_routed_scale: bool  # scaling was measured, too
    includes_gate_topk: bool  # the router was measured, too
    buffer_policy: str  # who owns the buffer
    includes_buffer_init: bool  # clearing it was measured, too
    used_cuda_graph: bool  # launched from a graph
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the expert weights and activations
    tokens: IntOrArray  # tokens in the step
    hidden: IntOrArray  # features of a token
    inter: IntOrArray  # intermediate features of an expert, before tp
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tp: IntOrArray  # ranks that share each expert's features
    ep: IntOrArray  # ranks that share the experts
    distribution: str  # load of the experts: uniform, or power_law_A with exponent A
    def __init__(
        self,
        *,
        phase: str = "context",
        kernel_dtype: str = "fp8_fp4",
        global_num_tokens: IntOrArray = 1,
        shared_experts: IntOrArray = 0,
        source_policy: str = "random",
        pre_dispatch: str = "sglang_jit",
        num_max_tokens_per_rank: IntOrArray = 1,
        effective_num_max_tokens_per_rank: IntOrArray = 1,
        includes_routed_scale: bool = True,
        includes_gate_topk: bool = False,
        buffer_policy: str = "cached_sglang",
        includes_buffer_init: bool = False,
        used_cuda_graph: bool = True,
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        inter: IntOrArray = 2048,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tp: IntOrArray = 1,
        ep: IntOrArray = 1,
        distribution: str = "balanced",
    ) -> None: ...

class WideEpContextMla:
    """Latent attention block beside wide expert parallelism, for new tokens; imported tables only."""
    op_id: ClassVar[str]
    kernel_source: str  # attention back end: flashinfer, fa3, trtllm_mla
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the block
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence; in decode with `step` its context
    tp: IntOrArray  # ranks that share the heads
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        kernel_source: str = "flashinfer",
        model: str = "deepseek-ai/DeepSeek-V3",
        architecture: str = "DeepseekV3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class WideEpGenerationMla:
    """Latent attention block beside wide expert parallelism, for one new token per sequence; imported tables only."""
    op_id: ClassVar[str]
    kernel_source: str  # attention back end: flashinfer, fa3, trtllm_mla
    model: str  # checkpoint whose sizes were taken
    architecture: str  # as config.json names it
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the block
    kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"]  # stored type of the cache
    gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the linear layers
    heads: IntOrArray  # query heads on this rank
    batch: IntOrArray  # sequences of equal length
    isl: IntOrArray  # new tokens per sequence; in decode with `step` its context
    tp: IntOrArray  # ranks that share the heads
    step: IntOrArray  # tokens per sequence already in the cache
    def __init__(
        self,
        *,
        kernel_source: str = "flashinfer",
        model: str = "deepseek-ai/DeepSeek-V3",
        architecture: str = "DeepseekV3ForCausalLM",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        kv_dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "fp8", "int8", "fp4", "int4", "int32", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8",
        gemm: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "fp8_block",
        heads: IntOrArray = 128,
        batch: IntOrArray = 1,
        isl: IntOrArray = 1,
        tp: IntOrArray = 1,
        step: IntOrArray = 0,
    ) -> None: ...

class TrtllmAllToAll:
    """One phase of TensorRT-LLM's exchange between expert-parallel ranks; imported tables only."""
    op_id: ClassVar[str]
    phase: str  # alltoall_prepare, alltoall_dispatch, alltoall_combine or alltoall_combine_low_precision
    kernel_source: str  # NVLinkOneSided or NVLinkTwoSided
    dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"]  # quantisation of the experts
    tokens: IntOrArray  # tokens of one rank
    hidden: IntOrArray  # features of a token
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    ep: IntOrArray  # expert-parallel ranks
    distribution: str  # load of the experts
    def __init__(
        self,
        *,
        phase: str = "alltoall_dispatch",
        kernel_source: str = "NVLinkTwoSided",
        dtype: Literal["float32", "tfloat32", "float16", "bfloat16", "int8", "int8_wo", "int4_wo", "fp8", "fp8_static", "fp8_block", "fp8_rowwise", "mxfp8", "sq", "nvfp4", "nvfp4_wo", "w4a16_nvfp4", "w4afp8", "w4a16_mxfp4", "w4a16_mxfp4_cutlass", "w4a8_mxfp4_mxfp8", "w4a8_mxfp4_mxfp8_trtllm", "q8_0", "q4_0", "q4_K", "q6_K"] = "bfloat16",
        tokens: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        ep: IntOrArray = 4,
        distribution: str = "balanced",
    ) -> None: ...

class MoeAllToAll:
    """One phase of the exchange between expert-parallel ranks by DeepEP and its like; imported tables only."""
    op_id: ClassVar[str]
    comm_backend: str  # deepep_ht, deepep_ll, trtllm_deepep_ht and so on: library and mode
    phase: str  # prepare, dispatch or combine
    dtype: str  # type on the wire; default: the library's
    ep: IntOrArray  # expert-parallel ranks
    nodes: IntOrArray  # nodes they are on
    hidden: IntOrArray  # features of a token
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    tokens: IntOrArray  # tokens of one rank
    sms: IntOrArray  # multiprocessors that communicate; 0: the library's choice
    def __init__(
        self,
        *,
        comm_backend: str = "deepep_ht",
        phase: str = "dispatch",
        dtype: str = "default",
        ep: IntOrArray = 8,
        nodes: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        tokens: IntOrArray = 1,
        sms: IntOrArray = 0,
    ) -> None: ...

class DeepepNormal:
    """Dispatch and combine of DeepEP's kernels for throughput; imported tables only."""
    op_id: ClassVar[str]
    nodes: IntOrArray  # nodes of 8 GPUs
    hidden: IntOrArray  # features of a token
    tokens: IntOrArray  # tokens of one rank
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    sms: IntOrArray  # multiprocessors that dispatch
    combine_sms: IntOrArray  # multiprocessors that combine
    def __init__(
        self,
        *,
        nodes: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        tokens: IntOrArray = 1,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
        sms: IntOrArray = 20,
        combine_sms: IntOrArray = 20,
    ) -> None: ...

class DeepepLowLatency:
    """Dispatch and combine of DeepEP's kernels for latency; imported tables only."""
    op_id: ClassVar[str]
    nodes: IntOrArray  # nodes of 8 GPUs
    hidden: IntOrArray  # features of a token
    tokens: IntOrArray  # tokens of one rank
    topk: IntOrArray  # experts per token
    experts: IntOrArray  # experts of all ranks
    def __init__(
        self,
        *,
        nodes: IntOrArray = 1,
        hidden: IntOrArray = 7168,
        tokens: IntOrArray = 1,
        topk: IntOrArray = 8,
        experts: IntOrArray = 256,
    ) -> None: ...
