// SPDX-License-Identifier: Apache-2.0
// What can be said about a served case, by name: the flags of `perfatlas simulate`, the keys of its --compare and of
// POST /v1/simulate are all this one list.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "perfatlas/serving/prediction.h"

namespace perfatlas {

struct Setting {
  std::string_view name;  // "token_budget"; as a flag --token-budget
  std::string_view help;
  /// Throws UsageError when the value is malformed.
  void (*set)(ServingQuestion& question, std::string_view name, std::string_view value);
};

std::span<const Setting> serving_settings();

/// Throws UsageError for a name that is not in the list, guessing what was meant, and for a malformed value.
void apply_setting(ServingQuestion& question, std::string_view name, std::string_view value);

}  // namespace perfatlas
