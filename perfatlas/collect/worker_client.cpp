// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/worker_client.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr std::chrono::milliseconds kSendTime{5000};
constexpr std::chrono::milliseconds kLeaveTime{500};
constexpr std::streamoff kTailBytes = 4096;
constexpr size_t kQuotedBytes = 200;

uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

ChildOptions child_options(std::vector<std::string> command, const std::string& log_path) {
  command.push_back("--protocol-fds");
  command.push_back(fmt::format("{},{}", kChildRequestFd, kChildAnswerFd));
  return {std::move(command), log_path};
}

}  // namespace

WorkerClient::WorkerClient(std::vector<std::string> command, std::string log_path)
    : log_path_(std::move(log_path)),
      log_start_(size_of(log_path_)),
      child_(ChildProcess::spawn(child_options(std::move(command), log_path_))) {}

std::optional<WorkerLoss> WorkerClient::ask(const Request& request) {
  PERFATLAS_ASSERT(!open_request_);
  open_request_ = next_id_++;
  if (child_.send_line(format_request(*open_request_, request), kSendTime)) return std::nullopt;
  return ended("");
}

WorkerClient::Event WorkerClient::event() {
  const auto input = child_.receive();
  if (const auto line = child_.next_line()) {
    if (!open_request_)
      return broke_protocol(fmt::format("it spoke unasked: {}", line->substr(0, kQuotedBytes)));
    try {
      NumberedAnswer answer = parse_answer(*line);
      if (answer.id != *open_request_)
        return broke_protocol(
            fmt::format("it answered request {} while {} was open", answer.id, *open_request_));
      open_request_.reset();
      return std::move(answer.answer);
    } catch (const Error& error) {
      return broke_protocol(fmt::format("{}: {}", error.what(), line->substr(0, kQuotedBytes)));
    }
  }
  if (input == ChildProcess::Input::too_long) return broke_protocol("its answer is no line");
  if (input == ChildProcess::Input::closed)
    return ended(child_.partial_line().empty() ? "" : " after half an answer");
  return std::monostate{};
}

WorkerLoss WorkerClient::broke_protocol(const std::string& how) {
  child_.kill();
  return {Outcome::failed, "the worker broke the protocol: " + how, child_.wait({})};
}

WorkerLoss WorkerClient::ended(std::string note) {
  const ExitStatus status = child_.wait(kLeaveTime);
  return {Outcome::crashed, status.text() + note + last_words(), status};
}

WorkerLoss WorkerClient::give_up(double after_s) {
  child_.kill();
  return {Outcome::timed_out,
          fmt::format("no answer within {}; the worker was killed", format_duration(after_s)),
          child_.wait({})};
}

void WorkerClient::retire() {
  child_.close_requests();
  child_.wait(kLeaveTime);
}

/// The last line that this worker logged, as "; its last words: ...".
std::string WorkerClient::last_words() const {
  std::ifstream log(log_path_, std::ios::binary);
  log.seekg(0, std::ios::end);
  const std::streamoff end = log.tellg();
  const std::streamoff begin = std::max(std::streamoff(log_start_), end - kTailBytes);
  if (!log || end <= begin) return {};
  std::string tail(size_t(end - begin), '\0');
  log.seekg(begin);
  log.read(tail.data(), end - begin);
  const std::string_view text = trim(tail);
  if (text.empty()) return {};
  return fmt::format("; its last words: {}", text.substr(text.rfind('\n') + 1).substr(0, kQuotedBytes));
}

}  // namespace perfatlas
