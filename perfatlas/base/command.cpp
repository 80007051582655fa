// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace perfatlas {

CommandResult run_command(const std::vector<std::string>& words) {
  PERFATLAS_ASSERT(!words.empty());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw Error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  const FileDescriptor from(ends[0]);
  FileDescriptor to(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, to.get(), STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw Error(
        fmt::format("cannot run {}: {}; install it or put it into PATH", words[0], std::strerror(failed)));
  to.reset();
  CommandResult result;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0;
       (got = ::read(from.get(), buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR);)
    if (got > 0) result.output.append(buffer.data(), size_t(got));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  while (result.output.ends_with('\n')) result.output.pop_back();
  return result;
}

std::vector<std::string> own_command_line() {
  std::vector<std::string> words;
  const std::string text = read_file("/proc/self/cmdline");
  for (const std::string_view word : split(text, '\0')) words.emplace_back(word);
  words.pop_back();  // every word ends with a zero byte
  return words;
}

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string quoted = "'";
  for (const char c : word)
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  return quoted + "'";
}

std::vector<std::string> shell_words(std::string_view command) {
  constexpr std::string_view kEscapedInDoubleQuotes = "\"\\$`";
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;  // the one that is open
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    const bool last = i + 1 == command.size();
    if (c == quote)
      quote = 0;
    else if (quote == 0 && (c == '\'' || c == '"'))
      quote = c;
    else if (c == '\\' && !last &&
             (quote == 0 ||
              (quote == '"' && kEscapedInDoubleQuotes.find(command[i + 1]) != std::string_view::npos)))
      words.back() += command[++i];
    else
      words.back() += c;
  }
  if (quote != 0) throw UsageError(fmt::format("a quote ({}) is not closed in: {}", quote, command));
  return words;
}

}  // namespace perfatlas
