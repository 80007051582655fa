// SPDX-License-Identifier: Apache-2.0
// The members of a JSON object as they are written, without making values of them.
#pragma once

#include <string_view>
#include <vector>

namespace perfatlas::aic {

struct JsonMember {
  std::string_view name;  // between the quotes
  std::string_view text;  // of the value
};

/// The members of the object that is the whole of `text`, in order. False, when the text is not plainly one: a name
/// with an escape, or brackets and quotes that do not match. Values are delimited, not checked.
bool json_members(std::string_view text, std::vector<JsonMember>& members);

}  // namespace perfatlas::aic
