// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "perfatlas/aic/case_mapping.h"
#include "perfatlas/base/error.h"

namespace perfatlas::aic {
namespace {

/// The tables hold one type, and the engine asks for no other.
void need_fp8(const Case&, nlohmann::json& fields) {
  if (fields["quant_dtype"] != "fp8")
    throw UsageError(fmt::format("the engine aic quantises to fp8 only, not to {}; ask engine atlas",
                                 fields["quant_dtype"].get<std::string>()));
  fields.erase("quant_dtype");
}

}  // namespace

void add_quantize_case_mappings(CaseMappings& all) {
  all.push_back({.op_id = "compute_scale",
                 .name = "ComputeScale",
                 .place = CasePlace::tokens,
                 .tokens = "m",
                 .fields = "k quant_dtype",
                 .amend = &need_fp8});
  all.push_back({.op_id = "scale_matrix",
                 .name = "ScaleMatrix",
                 .place = CasePlace::tokens,
                 .tokens = "m",
                 .fields = "k quant_dtype",
                 .amend = &need_fp8});
}

}  // namespace perfatlas::aic
