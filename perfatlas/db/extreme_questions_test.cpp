// SPDX-License-Identifier: Apache-2.0
// Questions that nobody should ask: every op, sizes from 0 to 2^62, unseen types and texts.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <random>

#include "perfatlas/base/error.h"
#include "perfatlas/db/answer_text.h"
#include "perfatlas/db/published_database.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/published_wheel_test.h"

namespace perfatlas {
namespace {

class ExtremeQuestions : public testing::Test {
 protected:
  int64_t below(size_t count) { return int64_t(random_() % count); }

  int64_t size() {
    static constexpr int64_t kSizes[] = {0, 1, 2, 3, 5, 7, 12, 63, 65, 100, 1000, 4097, 100'000, -1};
    const int64_t powers[] = {int64_t{1} << below(63), (int64_t{1} << below(63)) - 1,
                              int64_t(random_() % 100'000)};
    return below(2) == 0 ? kSizes[below(std::size(kSizes))] : powers[below(3)];
  }

  /// One to three fields of a row changed.
  Case question(const OpType& op, const AtlasTable& table) {
    Case asked{&op, table.slice(uint32_t(below(table.size()))).prototype};
    const OpSlice& slice = table.slice(uint32_t(below(table.size())));
    const MeasuredPoint& point = slice.points[size_t(below(slice.points.size()))];
    for (size_t d = 0; d < op.axes.size(); ++d) op.axes[d].set(asked.values, point.at[d]);
    for (int64_t changes = 1 + below(3); changes > 0; --changes) {
      const auto field = size_t(below(op.fields.size()));
      const FieldType& type = op.fields[field];
      int64_t& value = asked.values[field];
      if (type.kind == ValueKind::integer) value = size();
      if (type.kind == ValueKind::boolean) value = below(2);
      if (type.kind == ValueKind::enumeration) value = type.names[size_t(below(type.names.size()))].first;
      if (type.kind == ValueKind::symbol) value = Symbol("nobody_knows_this").id();
    }
    return asked;
  }

  void expect_possible(const Answer& answer, const std::string& text) {
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(text.find('\n'), text.npos) << text;
    if (!answer) {
      EXPECT_FALSE(answer.miss_reason.empty()) << text;
      return;
    }
    EXPECT_TRUE(std::isfinite(answer.latency_ms) && answer.latency_ms > 0) << text;
    EXPECT_TRUE(!answer.energy_mj || (std::isfinite(*answer.energy_mj) && *answer.energy_mj > 0)) << text;
    if (answer.sol_ms && !answer.faster_than_light) {
      EXPECT_GE(answer.latency_ms, *answer.sol_ms * (1 - 1e-9)) << text;
    }
    if (answer.intervals) {
      EXPECT_TRUE((*answer.intervals)[0] >= 1 && (*answer.intervals)[0] <= (*answer.intervals)[1] &&
                  (*answer.intervals)[1] <= (*answer.intervals)[2] && std::isfinite((*answer.intervals)[2]))
          << text;
    }
    double weights = answer.derived_from.empty() ? 1 : 0;
    for (const SupportingRow& row : answer.derived_from) weights += row.weight;
    EXPECT_NEAR(weights, 1, 1e-9) << text;
  }

  std::mt19937_64 random_{5};
};

TEST_F(ExtremeQuestions, AreRefusedInOneLineOrAnsweredPossibly) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  const auto root = std::make_shared<const SystemsRoot>(published_wheel(), ops);
  PublishedDatabase database(root);
  size_t answered = 0, refused = 0;
  for (const std::string& backend : root->backends("h200_sxm"))
    for (const auto& op : ops.ops()) {
      const TableRequest place{"h200_sxm", backend, root->resolve_version("h200_sxm", backend, "")};
      const auto table = database.table(*op, place);
      for (int i = 0; i < 60 && table->size() > 0; ++i) {
        const Case asked = question(*op, *table);
        try {
          const Answer answer =
              database.query(asked, {.system = "h200_sxm", .backend = backend, .allow_sol = i % 2 == 0});
          expect_possible(answer, answer_json(asked, answer));
          ++answered;
        } catch (const UsageError& error) {
          const std::string why = error.what();
          EXPECT_TRUE(!why.empty() && why.find('\n') == why.npos) << why;
          ++refused;
        }
      }
    }
  EXPECT_GT(answered, 500u);
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace perfatlas
