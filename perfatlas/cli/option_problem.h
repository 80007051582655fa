// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace perfatlas {

/// Makes every option refuse, in words that quote what was typed, an empty value and a number that is not plain decimal
/// ("0x10", "1e3" for a whole one, "+5", " 5", "nan") or does not fit 64 bits; the library would read some of these as
/// another number. REQUIRES: all verbs and options are there, and `app` has not parsed.
void check_values(CLI::App& app);

/// What is wrong on the command line and what to do, in one line: options that are no number of their kind or outside
/// of their bounds are put into our words, for other errors those of the library are plain. REQUIRES: `app` has parsed.
std::string option_problem(const CLI::App& app, const CLI::ParseError& error);

}  // namespace perfatlas
