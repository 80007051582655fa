// SPDX-License-Identifier: Apache-2.0
// Element types and quantisation modes, each with its one name table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace perfatlas {

/// How one element of an operand is stored. The last four are ggml's block types: a row is a sequence of whole blocks,
/// each holding the scales of its elements beside them.
enum class DType { f32, tf32, f16, bf16, fp8_e4m3, int8, fp4, int4, int32, q8_0, q4_0, q4_k, q6_k };

/// Bits of one stored element, without scales (tf32 is stored as f32).
constexpr int bits_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::tf32:
    case DType::int32:
      return 32;
    case DType::f16:
    case DType::bf16:
      return 16;
    case DType::fp8_e4m3:
    case DType::int8:
    case DType::q8_0:
      return 8;
    case DType::q6_k:
      return 6;
    case DType::fp4:
    case DType::int4:
    case DType::q4_0:
    case DType::q4_k:
      return 4;
  }
  return 0;
}

/// The smallest piece of a row that is stored by itself.
struct StoredBlock {
  int elements;
  int bytes;
};

/// One element, two for 4-bit types, a whole block with its scales for block types (sizes: ggml-common.h of ggml).
constexpr StoredBlock block_of(DType type) {
  switch (type) {
    case DType::q8_0:
      return {32, 34};
    case DType::q4_0:
      return {32, 18};
    case DType::q4_k:
      return {256, 144};
    case DType::q6_k:
      return {256, 210};
    case DType::fp4:
    case DType::int4:
      return {2, 1};
    default:
      return {1, bits_of(type) / 8};
  }
}

namespace dtype_detail {
inline constexpr auto kBytes = [] {
  std::array<double, size_t(DType::q6_k) + 1> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) {
    const StoredBlock block = block_of(DType(i));
    bytes[i] = double(block.bytes) / block.elements;
  }
  return bytes;
}();
}  // namespace dtype_detail

/// Bytes per element, scales inside blocks included; a half for 4-bit types.
constexpr double bytes_of(DType type) { return dtype_detail::kBytes[size_t(type)]; }

/// Whether scales lie between the elements.
constexpr bool is_block_type(DType type) { return block_of(type).elements > 2; }

/// How an enumerator is written: `name` in files, `alias` (may be empty) also accepted on the command line.
template <class E>
struct EnumName {
  E value;
  std::string_view name;
  std::string_view alias = {};
};

/// The name table of an enumeration that is used as a field. Names are part of the file formats.
/// Specialise `kEnumNames<E>` as a std::array<EnumName<E>, N> covering every enumerator.
template <class E>
inline constexpr auto kEnumNames = nullptr;

template <>
inline constexpr auto kEnumNames<DType> = std::array{
    EnumName<DType>{DType::f32, "float32", "f32"},
    EnumName<DType>{DType::tf32, "tfloat32", "tf32"},
    EnumName<DType>{DType::f16, "float16", "f16"},
    EnumName<DType>{DType::bf16, "bfloat16", "bf16"},
    EnumName<DType>{DType::fp8_e4m3, "fp8", "fp8_e4m3"},
    EnumName<DType>{DType::int8, "int8"},
    EnumName<DType>{DType::fp4, "fp4"},
    EnumName<DType>{DType::int4, "int4"},
    EnumName<DType>{DType::int32, "int32"},
    EnumName<DType>{DType::q8_0, "q8_0"},
    EnumName<DType>{DType::q4_0, "q4_0"},
    EnumName<DType>{DType::q4_k, "q4_K"},
    EnumName<DType>{DType::q6_k, "q6_K"},
};

/// How the weights and activations of a matrix product are stored and multiplied. The names are those of the
/// published tables (columns gemm_dtype, moe_dtype, mla_dtype), plus float32, tfloat32 and int8 for plain types, the
/// names that serving engines give fp8_rowwise and mxfp8, and those of ggml for its block types.
enum class Quant {
  f32,
  tf32,
  f16,
  bf16,  // no quantisation
  int8,  // 8-bit weights and activations, per-tensor scales
  int8_wo,
  int4_wo,  // weight only, 16-bit activations
  fp8,
  fp8_static,   // e4m3 weights and activations, dynamic or fixed activation scale
  fp8_block,    // e4m3, 128x128 weight blocks, 1x128 activation groups
  fp8_rowwise,  // e4m3, a scale per token and per output feature
  mxfp8,        // e4m3 with a shared exponent per 32 elements (OCP microscaling formats, 2023)
  sq,           // SmoothQuant int8
  nvfp4,
  nvfp4_wo,  // 4-bit floats in groups of 16
  w4a16_nvfp4,
  w4afp8,
  w4a16_mxfp4,
  w4a16_mxfp4_cutlass,
  w4a8_mxfp4_mxfp8,
  w4a8_mxfp4_mxfp8_trtllm,  // published tables file some kernels of a mode under a name of their own
  q8_0,
  q4_0,
  q4_k,
  q6_k,  // ggml: blocks of weights; activations enter as float32 and are rounded to 8-bit blocks inside the product
};

template <>
inline constexpr auto kEnumNames<Quant> = std::array{
    EnumName<Quant>{Quant::f32, "float32", "f32"},
    EnumName<Quant>{Quant::tf32, "tfloat32", "tf32"},
    EnumName<Quant>{Quant::f16, "float16", "f16"},
    EnumName<Quant>{Quant::bf16, "bfloat16", "bf16"},
    EnumName<Quant>{Quant::int8, "int8"},
    EnumName<Quant>{Quant::int8_wo, "int8_wo"},
    EnumName<Quant>{Quant::int4_wo, "int4_wo"},
    EnumName<Quant>{Quant::fp8, "fp8"},
    EnumName<Quant>{Quant::fp8_static, "fp8_static"},
    EnumName<Quant>{Quant::fp8_block, "fp8_block"},
    EnumName<Quant>{Quant::fp8_rowwise, "fp8_rowwise", "ptpc_fp8"},
    EnumName<Quant>{Quant::mxfp8, "mxfp8"},
    EnumName<Quant>{Quant::sq, "sq"},
    EnumName<Quant>{Quant::nvfp4, "nvfp4"},
    EnumName<Quant>{Quant::nvfp4_wo, "nvfp4_wo"},
    EnumName<Quant>{Quant::w4a16_nvfp4, "w4a16_nvfp4"},
    EnumName<Quant>{Quant::w4afp8, "w4afp8"},
    EnumName<Quant>{Quant::w4a16_mxfp4, "w4a16_mxfp4"},
    EnumName<Quant>{Quant::w4a16_mxfp4_cutlass, "w4a16_mxfp4_cutlass"},
    EnumName<Quant>{Quant::w4a8_mxfp4_mxfp8, "w4a8_mxfp4_mxfp8"},
    EnumName<Quant>{Quant::w4a8_mxfp4_mxfp8_trtllm, "w4a8_mxfp4_mxfp8_trtllm"},
    EnumName<Quant>{Quant::q8_0, "q8_0"},
    EnumName<Quant>{Quant::q4_0, "q4_0"},
    EnumName<Quant>{Quant::q4_k, "q4_K"},
    EnumName<Quant>{Quant::q6_k, "q6_K"},
};

/// What a quantisation mode means for traffic and arithmetic.
struct QuantTraits {
  DType weight;         // stored weight element
  DType activation;     // stored activation element entering the product
  DType math;           // type whose peak bounds the arithmetic
  double weight_bytes;  // per weight element, scales included (nvfp4: 4 bits + one 8-bit scale per 16 = 9/16)
};

constexpr QuantTraits traits_of(Quant quant) {
  using enum DType;
  switch (quant) {
    case Quant::f32:
      return {f32, f32, f32, 4};
    case Quant::tf32:
      return {f32, f32, tf32, 4};
    case Quant::f16:
      return {f16, f16, f16, 2};
    case Quant::bf16:
      return {bf16, bf16, bf16, 2};
    case Quant::int8:
    case Quant::sq:
      return {DType::int8, DType::int8, DType::int8, 1};
    case Quant::int8_wo:
      return {DType::int8, bf16, bf16, 1};
    case Quant::int4_wo:
      return {int4, bf16, bf16, 0.5};
    case Quant::fp8:
    case Quant::fp8_static:
    case Quant::fp8_block:
    case Quant::fp8_rowwise:
      return {fp8_e4m3, fp8_e4m3, fp8_e4m3, 1};
    case Quant::mxfp8:
      return {fp8_e4m3, fp8_e4m3, fp8_e4m3, 33.0 / 32};
    case Quant::nvfp4:
      return {fp4, fp4, fp4, 9.0 / 16};
    case Quant::nvfp4_wo:
    case Quant::w4a16_nvfp4:
      return {fp4, bf16, bf16, 9.0 / 16};
    case Quant::w4afp8:
      return {int4, fp8_e4m3, fp8_e4m3, 0.5};
    case Quant::w4a16_mxfp4:
    case Quant::w4a16_mxfp4_cutlass:
      return {fp4, bf16, bf16, 0.5};
    case Quant::w4a8_mxfp4_mxfp8:
    case Quant::w4a8_mxfp4_mxfp8_trtllm:
      return {fp4, fp8_e4m3, fp8_e4m3, 0.5};
    case Quant::q8_0:
      return {DType::q8_0, f32, DType::int8, bytes_of(DType::q8_0)};
    case Quant::q4_0:
      return {DType::q4_0, f32, DType::int8, bytes_of(DType::q4_0)};
    case Quant::q4_k:
      return {DType::q4_k, f32, DType::int8, bytes_of(DType::q4_k)};
    case Quant::q6_k:
      return {DType::q6_k, f32, DType::int8, bytes_of(DType::q6_k)};
  }
  return {f32, f32, f32, 4};
}

/// The written name of an enumerator.
template <class E>
constexpr std::string_view name_of(E value) {
  for (const auto& entry : kEnumNames<E>)
    if (entry.value == value) return entry.name;
  return {};
}

}  // namespace perfatlas
