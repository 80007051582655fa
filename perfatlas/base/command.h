// SPDX-License-Identifier: Apache-2.0
// Running another program to its end and reading what it says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

struct CommandResult {
  int code = 0;        // exit code; 128 + signal when one ended it
  std::string output;  // standard output and error, in order, without the last newline
};

/// Runs the program (looked up in PATH when it has no slash) with its arguments, no shell between. Throws Error when it
/// does not exist or cannot be executed.
CommandResult run_command(const std::vector<std::string>& words);

/// The words this process was started with, the program first.
std::vector<std::string> own_command_line();

/// The word as a POSIX shell reads it back: unchanged when it is plain, else in single quotes.
std::string shell_quoted(const std::string& word);

/// The words of a command as a POSIX shell splits them: at blanks, but for quotes ('...', "...") and backslashes.
/// Nothing is expanded. Throws UsageError for a quote that is not closed.
std::vector<std::string> shell_words(std::string_view command);

}  // namespace perfatlas
