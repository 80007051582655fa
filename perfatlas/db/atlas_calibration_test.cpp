// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/atlas_calibration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "perfatlas/base/file.h"
#include "perfatlas/db/atlas_table.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {
namespace {

constexpr Hash128 kOrigin{1, 2};

/// A slice that is a grid, and one of scattered points.
class AtlasCalibrationTest : public testing::Test {
 protected:
  AtlasCalibrationTest() {
    auto machine = std::make_shared<SystemSpec>();
    machine->memory_bandwidth.datasheet = 1e12;
    machine->flops[DType::bf16].datasheet = 1e15;
    std::mt19937_64 random(3);
    const auto add = [&](const AttentionGeneration& prototype, double share) {
      OpSlice slice{.prototype = encode(prototype), .machine = machine};
      for (int64_t heads = 1; heads <= 32; heads *= 2)
        for (int64_t batch = 1; batch <= 64; batch *= 2)
          for (int64_t s = 16; s <= 16384; s *= 2) {
            if (double(random() % 1000) >= share * 1000) continue;
            const double noise = 1 + double(random() % 100) / 1000;
            slice.points.push_back(
                {{heads, batch, s}, (0.01 + 1e-7 * double(heads * batch * s)) * noise, std::nullopt});
            slice.rows.push_back(uint32_t(slice.rows.size()));
          }
      slices_.push_back(slice);
    };
    add({.heads = 8, .kv_heads = 4}, 1);
    add({.heads = 8, .kv_heads = 2}, 0.3);
  }

  OpRegistry ops_ = all_ops();
  const OpType& op_ = ops_.get("attention_generation");
  std::vector<OpSlice> slices_;
};

TEST_F(AtlasCalibrationTest, ATableMadeFromItAnswersAlike) {
  const TemporaryFolder folder;
  const CalibrationStore store(folder.path());
  const AtlasTable learnt(op_, slices_);
  ASSERT_NE(learnt.model(0).grid(), nullptr);
  ASSERT_NE(learnt.model(1).scattered(), nullptr);
  store.store(kOrigin, learnt.calibration());
  const auto kept = store.load(kOrigin);
  ASSERT_TRUE(kept);
  const AtlasTable again(op_, slices_, kept);
  for (uint32_t slice = 0; slice < 2; ++slice)
    for (const std::array<double, kMaxAxes> at :
         {std::array<double, kMaxAxes>{4, 8, 256}, {3, 5, 300}, {64, 90, 50000}}) {
      const AtlasEstimate a = learnt.model(slice).estimate(at.data(), learnt.bars());
      const AtlasEstimate b = again.model(slice).estimate(at.data(), again.bars());
      EXPECT_EQ(a.latency_ms, b.latency_ms);
      EXPECT_EQ(a.half_width, b.half_width);
    }
}

TEST_F(AtlasCalibrationTest, DamagedFilesAreAsGoodAsNone) {
  const TemporaryFolder folder;
  const CalibrationStore store(folder.path());
  store.store(kOrigin, AtlasTable(op_, slices_).calibration());
  EXPECT_TRUE(store.load(kOrigin));
  const std::string path = std::filesystem::directory_iterator(folder.path())->path().string();
  const std::string bytes = read_file(path);
  for (size_t length = 0; length < bytes.size(); length += 7) {
    replace_file(path, bytes.substr(0, length));
    EXPECT_FALSE(store.load(kOrigin)) << length;
  }
  for (size_t at = 0; at < bytes.size(); at += 11) {
    std::string damaged = bytes;
    damaged[at] = char(damaged[at] ^ 1);
    replace_file(path, damaged);
    EXPECT_FALSE(store.load(kOrigin)) << at;
  }
}

TEST_F(AtlasCalibrationTest, TheStoreGivesBackWhatItWasGiven) {
  const TemporaryFolder folder;
  const CalibrationStore store(folder / "new");
  EXPECT_FALSE(store.load(kOrigin));
  const AtlasTable table(op_, slices_);
  store.store(kOrigin, table.calibration());
  const auto kept = store.load(kOrigin);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->bars, table.bars());
  EXPECT_FALSE(store.load({kOrigin.high, kOrigin.low + 1}));
  CalibrationStore("").store(kOrigin, table.calibration());
  EXPECT_FALSE(CalibrationStore("").load(kOrigin));
}

}  // namespace
}  // namespace perfatlas
