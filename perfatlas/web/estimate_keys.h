// SPDX-License-Identifier: Apache-2.0
// What the body of POST /v1/estimate may hold.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "perfatlas/estimate/estimate.h"

namespace perfatlas {

struct EstimateKey {
  std::string_view name;  // "moe_ep"
  bool whole;             // a whole number, else a text
  /// `value` as text; a whole number in decimal. Throws UsageError when it is malformed.
  void (*set)(estimate::EstimateRequest& request, const std::string& value);
};

/// In the order in which they are shown.
std::span<const EstimateKey> estimate_keys();

/// Throws UsageError for a name that is not in the list, and for a malformed value.
void set_estimate_key(estimate::EstimateRequest& request, const std::string& name, const std::string& value);

}  // namespace perfatlas
