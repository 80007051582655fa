// SPDX-License-Identifier: Apache-2.0
// A child process that answers lines over its own file descriptors and may die at any time.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/base/file.h"

namespace perfatlas {

/// How a process ended.
struct ExitStatus {
  std::optional<int> code;    // when it exited by itself
  std::optional<int> signal;  // when a signal ended it

  /// "exit code 3", "SIGSEGV".
  std::string text() const;
};

/// "SIGKILL"; "signal 63" for those without a name.
std::string signal_name(int signal);

/// In the child: requests are read from descriptor 3 and answers written to 4. Standard output and error go to the log.
inline constexpr int kChildRequestFd = 3;
inline constexpr int kChildAnswerFd = 4;

struct ChildOptions {
  std::vector<std::string> command;  // program (looked up in PATH when it has no slash) and arguments
  std::string log_path;              // appended to
};

/// A running child in a process group of its own. When the last owner goes or this process dies - even by SIGKILL -
/// the child is killed. Movable.
class ChildProcess {
 public:
  /// Starts it; takes well under a millisecond however large this process is. Throws Error when the program does not
  /// exist or cannot be executed, or the log cannot be opened.
  /// REQUIRES: the calling thread lives as long as the child should (the kernel ties the child to the thread).
  static ChildProcess spawn(const ChildOptions& options);

  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// For poll(): readable when an answer has come or the child has closed it.
  int answer_fd() const { return answers_.get(); }

  /// Sends a line; the newline is added. False when the child no longer reads (never a SIGPIPE) or has not taken it
  /// within `timeout`.
  bool send_line(std::string_view line, std::chrono::milliseconds timeout);

  enum class Input { more, closed, too_long };
  /// Takes in whatever has arrived, without waiting. too_long: a line beyond 64 MiB, which is no answer.
  Input receive();
  /// The next complete line received, without its newline.
  std::optional<std::string> next_line();
  /// receive() and next_line() until a line is there; nothing at the deadline or when the child closed.
  std::optional<std::string> wait_line(std::chrono::milliseconds timeout);
  /// What was received after the last complete line.
  std::string_view partial_line() const { return std::string_view(buffer_).substr(consumed_); }

  /// Lets it know that no request will come.
  void close_requests() { requests_.reset(); }
  /// Ends it and its process group at once (SIGKILL by id). Does not wait.
  void kill();
  /// The status if it has ended, else nothing.
  std::optional<ExitStatus> try_wait();
  /// Waits for the end; after `grace` it is killed.
  ExitStatus wait(std::chrono::milliseconds grace);
  /// Resident memory, or nothing when it is gone.
  std::optional<double> resident_bytes() const;

 private:
  ChildProcess() = default;
  void end();

  pid_t pid_ = -1;
  FileDescriptor requests_, answers_;
  std::string buffer_;
  size_t consumed_ = 0;  // of buffer_, by next_line()
  size_t scanned_ = 0;   // of buffer_: no newline before this
  std::optional<ExitStatus> status_;
};

/// While it lives, SIGINT and SIGTERM do not end the process but are counted. Uses no signal handler and no global
/// state: the signals are blocked in the calling thread and read from a descriptor. REQUIRES: no other threads.
class InterruptSignals {
 public:
  InterruptSignals();
  ~InterruptSignals();
  InterruptSignals(const InterruptSignals&) = delete;
  InterruptSignals& operator=(const InterruptSignals&) = delete;

  /// For poll().
  int fd() const { return fd_.get(); }
  /// How many have come so far.
  int count();

 private:
  FileDescriptor fd_;
  sigset_t previous_;
  int count_ = 0;
};

}  // namespace perfatlas
