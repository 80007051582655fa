// SPDX-License-Identifier: Apache-2.0
// The order of library versions, so that "latest" means something.
#pragma once

#include <string_view>

namespace perfatlas {

/// Version `a` is older than `b`, by the rules of PEP 440 as far as folder names use them: numbers part by part
/// (missing parts are 0), then .devN < aN < bN < rcN < the release < .postN; a local part after '+' decides last.
/// A name that is no such version is older than every version; two such names are ordered as texts.
bool older_version(std::string_view a, std::string_view b);

/// `name` is a version by these rules.
bool is_version(std::string_view name);

}  // namespace perfatlas
