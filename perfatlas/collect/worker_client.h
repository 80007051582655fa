// SPDX-License-Identifier: Apache-2.0
// One worker process as the supervisor sees it: questions, answers, and the ways in which it can be lost.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/base/process.h"
#include "perfatlas/collect/journal.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// The worker is gone. `outcome` is what that means for the case it was working on.
struct WorkerLoss {
  Outcome outcome = Outcome::crashed;  // crashed; failed when it broke the protocol; timed_out
  std::string reason;  // "SIGSEGV", "exit code 3", "broke the protocol: ..."; with its last words
  ExitStatus status;
};

class WorkerClient {
 public:
  using Clock = std::chrono::steady_clock;
  using Event = std::variant<std::monostate, WorkerAnswer, WorkerLoss>;

  /// Starts `command` with `--protocol-fds 3,4` appended. Throws Error.
  WorkerClient(std::vector<std::string> command, std::string log_path);

  /// For poll().
  int fd() const { return child_.answer_fd(); }
  pid_t pid() const { return child_.pid(); }

  /// Sends one request. The loss is the answer when the worker has died. REQUIRES: no request is open.
  std::optional<WorkerLoss> ask(const Request& request);
  bool waiting() const { return open_request_.has_value(); }

  /// What has arrived: nothing yet, the answer to the open request, or the loss of the worker. After a loss the
  /// process is gone and the object may only be destroyed.
  Event event();

  /// Kills it because it did not answer in time.
  WorkerLoss give_up(double after_s);
  /// Ends it in order: no more requests, half a second to leave.
  void retire();

  std::optional<double> resident_bytes() const { return child_.resident_bytes(); }

 private:
  WorkerLoss broke_protocol(const std::string& how);
  WorkerLoss ended(std::string note);
  std::string last_words() const;

  std::string log_path_;
  uint64_t log_start_ = 0;  // size of the log before this worker
  ChildProcess child_;
  int64_t next_id_ = 1;
  std::optional<int64_t> open_request_;
};

}  // namespace perfatlas
