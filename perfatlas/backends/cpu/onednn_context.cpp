// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/onednn_context.h"

#include <fmt/format.h>

#include <string_view>

namespace perfatlas {

std::string onednn_version() {
  const dnnl::version_t* version = dnnl::version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

std::optional<dnnl::memory::data_type> onednn_type(DType dtype) {
  using type = dnnl::memory::data_type;
  switch (dtype) {
    case DType::f32:
      return type::f32;
    case DType::f16:
      return type::f16;
    case DType::bf16:
      return type::bf16;
    case DType::int8:
      return type::s8;
    case DType::int32:
      return type::s32;
    default:
      return std::nullopt;
  }
}

std::string onednn_fallback_reason(const dnnl::primitive_desc_base& description) {
  const std::string_view implementation = description.impl_info_str();
  if (!implementation.starts_with("ref") && !implementation.starts_with("simple")) return {};
  return fmt::format("oneDNN {} has only its reference implementation ({}) for this on this CPU",
                     onednn_version(), implementation);
}

}  // namespace perfatlas
