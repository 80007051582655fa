// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_device.h"

#include <gtest/gtest.h>

#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/backends/operand_blocks.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr DType kBlockTypes[] = {DType::q8_0, DType::q4_0, DType::q4_k, DType::q6_k};

TEST(GgmlDevice, NamesItsLibrary) {
  const GgmlDevice& device = ggml_test_device();
  EXPECT_EQ(device.info().versions.at("ggml"), ggml_library_version());
  EXPECT_FALSE(ggml_library_version().empty());
  EXPECT_EQ(device.buffer(WeightBuffer::plain), nullptr);
}

TEST(GgmlDevice, AmxBuffersAreThereWhereTheCpuHasAmx) {
  const GgmlDevice& device = ggml_test_device();
  if (!ggml_cpu_has_amx_int8()) GTEST_SKIP() << "ggml was built for a CPU without AMX";
  EXPECT_EQ(device.buffer(WeightBuffer::amx) != nullptr, device.isa().amx_int8);
}

TEST(GgmlTypes, SizesAreThoseOfGgml) {
  for (const EnumName<DType>& entry : kEnumNames<DType>) {
    const auto type = ggml_type_of(entry.value);
    if (!type) continue;
    EXPECT_EQ(dtype_of(*type), entry.value);
    EXPECT_EQ(size_t(block_of(entry.value).bytes), ggml_type_size(*type)) << entry.name;
    EXPECT_EQ(block_of(entry.value).elements, ggml_blck_size(*type)) << entry.name;
  }
}

TEST(GgmlTypes, GgmlReadsOurBlocksAsWeDo) {
  for (const DType dtype : kBlockTypes) {
    const std::vector<std::byte> blocks = random_elements(dtype, 4096, 5);
    std::vector<float> theirs(4096);
    ggml_get_type_traits(*ggml_type_of(dtype))
        ->to_float(blocks.data(), theirs.data(), int64_t(theirs.size()));
    const std::vector<float> ours = decode_blocks(dtype, blocks);
    for (size_t i = 0; i < ours.size(); ++i)  // products of three factors in another order
      ASSERT_NEAR(ours[i], theirs[i], 1e-6F * (1 + std::abs(theirs[i]))) << name_of(dtype) << ' ' << i;
  }
}

TEST(GgmlTypes, WeReadTheBlocksOfGgmlsQuantisersAsItDoes) {
  SeededNumbers numbers(3);
  std::vector<float> values(4096), theirs(4096);
  for (float& value : values) value = numbers.normal();
  for (const DType dtype : kBlockTypes) {
    const ggml_type type = *ggml_type_of(dtype);
    std::vector<std::byte> blocks(size_t(4096 * bytes_of(dtype)));
    ggml_quantize_chunk(type, values.data(), blocks.data(), 0, 8, 512, nullptr);
    ggml_get_type_traits(type)->to_float(blocks.data(), theirs.data(), 4096);
    const std::vector<float> ours = decode_blocks(dtype, blocks);
    for (size_t i = 0; i < ours.size(); ++i)
      ASSERT_NEAR(ours[i], theirs[i], 1e-6F * (1 + std::abs(theirs[i]))) << name_of(dtype) << ' ' << i;
  }
}

TEST(GgmlTypes, ModesThatLlamaCppDoesNotHaveHaveNoType) {
  EXPECT_FALSE(ggml_weight_type(Quant::fp8));
  EXPECT_FALSE(ggml_weight_type(Quant::int8));
  EXPECT_EQ(ggml_weight_type(Quant::q4_k), GGML_TYPE_Q4_K);
}

}  // namespace
}  // namespace perfatlas
