// SPDX-License-Identifier: Apache-2.0
// The shapes of ggml's own test suite through our check: one test per op of tests/ggml/peer_cases.txt.
#include <fstream>
#include <map>

#include "perfatlas/backends/ggml/ggml_check_test.h"
#include "perfatlas/backends/ggml/ggml_kernels.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

class GgmlPeerCases : public testing::TestWithParam<std::string> {
 protected:
  static std::vector<std::string> cases_of(const std::string& op) {
    std::ifstream file(PERFATLAS_PEER_CASES);
    std::vector<std::string> cases;
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(op + " ")) cases.push_back(line);
    return cases;
  }
};

TEST_P(GgmlPeerCases, PassEveryCheck) {
  static const OpRegistry kOps = all_ops();
  KernelRegistry kernels;
  add_all_ggml_kernels(kernels);
  const std::vector<std::string> cases = cases_of(GetParam());
  ASSERT_FALSE(cases.empty());
  for (const std::string& text : cases) {
    const Case what = kOps.parse_case(text);
    ASSERT_EQ(what.op->why_invalid(what.values), "") << text;
    EXPECT_GE(check_ggml_kernels(what, kernels), 1) << text << ": no kernel takes it";
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, GgmlPeerCases,
                         testing::Values("gemm", "moe", "attention_context", "attention_generation",
                                         "rms_norm", "embedding", "rope", "activation"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace perfatlas
