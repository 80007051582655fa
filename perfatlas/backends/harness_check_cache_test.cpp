// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_check_cache.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

constexpr int64_t kSlots = 4, kWidth = 8;

/// The mean of what the cache of each sequence holds of the last `window` tokens and of the new one, which is written
/// to it: attention with equal weights.
struct FakePaged {
  int64_t sequences = 2;
  int64_t step = 9;
  int64_t window = 0;  // cached tokens that are seen; 0: all
  bool operator==(const FakePaged&) const = default;

  static constexpr OpInfo info{
      .id = "fake_paged", .table = "fake_paged_perf", .op_name = "fake", .doc = "mean", .sol = "step"};
  static constexpr auto fields =
      std::tuple{field("sequences", &FakePaged::sequences, Role::axis, "sequences"),
                 field("step", &FakePaged::step, Role::axis, "cached tokens"),
                 field("window", &FakePaged::window, Role::exact, "cached tokens that are seen")};
  static constexpr auto axes = std::array{axis<&FakePaged::step, FakePaged>("step")};
  static constexpr TableLayout layout{};

  int64_t pages() const { return step / kSlots + 1; }
  int64_t first() const { return window > 0 ? std::max<int64_t>(step - window, 0) : 0; }
  std::string_view why_invalid() const { return {}; }
  Work work() const {
    return {.flops = double(step), .kv_bytes_read = double(sequences * (step - first()) * kWidth * 4)};
  }
  Operands operands() const {
    using enum OperandRole;
    return {{.name = "x", .role = activation, .dtype = DType::f32, .shape = {sequences, kWidth}},
            {.name = "cache",
             .role = kv,
             .dtype = DType::f32,
             .shape = {sequences * pages(), kSlots, kWidth},
             .written = true},
            {.name = "table",
             .role = activation,
             .dtype = DType::int32,
             .shape = {sequences, pages()},
             .fill = Fill::page_table},
            {.name = "y",
             .role = output,
             .dtype = DType::f32,
             .shape = {sequences, kWidth},
             .fill = Fill::none,
             .written = true}};
  }
  /// `read(page number within all, page as the table has it)`: the page that is really looked at.
  template <class Page>
  void run(const float* x, float* cache, const int32_t* table, float* y, int64_t from, Page page_at) const {
    for (int64_t sequence = 0; sequence < sequences; ++sequence) {
      const auto row = [&](int64_t position) {
        const int64_t entry = sequence * pages() + position / kSlots;
        return cache + (page_at(entry, table[entry]) * kSlots + position % kSlots) * kWidth;
      };
      std::copy_n(x + sequence * kWidth, kWidth, row(step));
      for (int64_t i = 0; i < kWidth; ++i) {
        double sum = 0;
        for (int64_t position = from; position <= step; ++position) sum += double(row(position)[i]);
        y[sequence * kWidth + i] = float(sum / double(step + 1 - first()));
      }
    }
  }
  void reference(std::vector<HostOperand>& data) const {
    run(data[0].values.data(), data[1].values.data(), data[2].indices.data(), data[3].values.data(), first(),
        [](int64_t, int32_t page) { return int64_t(page); });
  }
};
static_assert(Operation<FakePaged>);

enum class Fault {
  none,
  ignores_cache,
  ignores_table,
  skips_first,
  skips_last,
  sees_one_too_many,
  writes_elsewhere
};

class FakePagedKernel final : public PreparedKernel {
 public:
  FakePagedKernel(const FakePaged& op, Fault fault) : op_(op), fault_(fault) {}

  void launch(Stream, std::span<void* const> p, void*) override {
    const auto* x = static_cast<const float*>(p[0]);
    auto *cache = static_cast<float*>(p[1]), *y = static_cast<float*>(p[3]);
    const auto* table = static_cast<const int32_t*>(p[2]);
    int64_t from = op_.first();
    if (fault_ == Fault::skips_first) from += 1;
    if (fault_ == Fault::sees_one_too_many) from -= 1;
    if (fault_ == Fault::ignores_cache) from = op_.step;
    op_.run(x, cache, table, y, from, [&](int64_t entry, int32_t page) {
      return fault_ == Fault::ignores_table ? entry : int64_t(page);
    });
    const auto last_row = [&](int64_t sequence) {
      const int64_t entry = sequence * op_.pages() + (op_.step - 1) / kSlots;
      return cache + (table[entry] * kSlots + (op_.step - 1) % kSlots) * kWidth;
    };
    if (fault_ == Fault::skips_last)
      for (int64_t i = 0; i < op_.sequences * kWidth; ++i)
        y[i] -= last_row(i / kWidth)[i % kWidth] / float(op_.step + 1 - op_.first());
    if (fault_ == Fault::writes_elsewhere) cache[0] += 1;
  }

 private:
  FakePaged op_;
  Fault fault_;
};

std::vector<HarnessCheck> checks_of(const FakePaged& op, Fault fault) {
  const OpType type = make_op_type<FakePaged>();
  FakeDevice device;
  const KernelEntry kernel{FakePaged::info.id, "fake_kernel", "fake",
                           [](const FieldValues&, const Device&) { return std::string(); },
                           [fault](const FieldValues& values, Device&) {
                             return std::make_unique<FakePagedKernel>(decode<FakePaged>(values), fault);
                           }};
  return check_kernel(make_case(type, op), kernel, 1, device);
}

/// Names of the checks that failed.
std::vector<std::string> failures(const FakePaged& op, Fault fault) {
  std::vector<std::string> names;
  for (const HarnessCheck& check : checks_of(op, fault))
    if (check.verdict == Verdict::failed) names.push_back(check.name);
  return names;
}

bool fails(const std::string& name, const FakePaged& op, Fault fault) {
  const std::vector<std::string> names = failures(op, fault);
  return std::count(names.begin(), names.end(), name) == 1;
}

Verdict verdict_of(const std::string& name, const FakePaged& op) {
  for (const HarnessCheck& check : checks_of(op, Fault::none))
    if (check.name == name) return check.verdict;
  return Verdict::failed;
}

TEST(CheckCache, AKernelThatUsesItsCacheAsDeclaredPasses) {
  for (const FakePaged& op : {FakePaged{}, FakePaged{.step = 0}, FakePaged{.sequences = 1, .step = 3},
                              FakePaged{.step = 40, .window = 6}, FakePaged{.step = 5, .window = 30}})
    EXPECT_EQ(failures(op, Fault::none), std::vector<std::string>{}) << op.step;
  EXPECT_EQ(verdict_of("page table is followed", {}), Verdict::passed);
  EXPECT_EQ(verdict_of("whole prefix is read", {}), Verdict::passed);
}

TEST(CheckCache, ACacheThatIsIgnoredIsFound) {
  EXPECT_TRUE(fails("KV cache is read", {}, Fault::ignores_cache));
}

TEST(CheckCache, APageTableThatIsIgnoredIsFound) {
  EXPECT_TRUE(fails("page table is followed", {}, Fault::ignores_table));
}

TEST(CheckCache, AWriteToAPlaceThatTheTableDoesNotNameIsFound) {
  EXPECT_TRUE(fails("page table is followed", {}, Fault::writes_elsewhere));
}

/// An ordinary token of 20,000 makes 0.7 % of the mean, which the tolerance of bfloat16 would let pass.
TEST(CheckCache, OneTokenOfALongPrefixIsFound) {
  const FakePaged op{.sequences = 1, .step = 20000};
  EXPECT_TRUE(fails("whole prefix is read", op, Fault::skips_first));
  EXPECT_TRUE(fails("whole prefix is read", op, Fault::skips_last));
}

TEST(CheckCache, ATokenJustOutsideTheWindowIsFound) {
  EXPECT_TRUE(fails("whole prefix is read", {.step = 40, .window = 6}, Fault::sees_one_too_many));
  EXPECT_TRUE(fails("whole prefix is read", {.step = 40, .window = 6}, Fault::skips_first));
}

TEST(CheckCache, WhatACaseDoesNotHaveIsNotJudged) {
  EXPECT_EQ(verdict_of("whole prefix is read", {.step = 0}), Verdict::not_applicable);
  EXPECT_EQ(verdict_of("page table is followed", {.sequences = 1, .step = 2}), Verdict::not_applicable);
}

}  // namespace
}  // namespace perfatlas
