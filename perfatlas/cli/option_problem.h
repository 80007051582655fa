// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace perfatlas {

/// What is wrong on the command line and what to do, in one line: options that are no number of their kind or outside of
/// their bounds are put into our words, for other errors those of the library are plain. REQUIRES: `app` has parsed.
std::string option_problem(const CLI::App& app, const CLI::ParseError& error);

}  // namespace perfatlas
