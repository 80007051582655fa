// SPDX-License-Identifier: Apache-2.0
// One worker for verbs that ask a few questions: ops, probe, check, bench, validate.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// The worker died, or was killed because it did not answer in time.
class WorkerLost : public Error {
 public:
  using Error::Error;
};

class WorkerSession {
 public:
  /// Starts the worker of `backend` on `device` (empty: its default) and says hello. `command` overrides the worker.
  /// Throws Error: no such executable, wrong protocol version, died at start.
  WorkerSession(const std::string& backend, const std::string& device,
                const std::vector<std::string>& command = {});
  ~WorkerSession();
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  const HelloAnswer& hello() const;

  /// Throws WorkerLost when the worker dies or does not answer in time; the text has the last line it printed. Nothing
  /// but restart() may follow then.
  WorkerAnswer ask(const Request& request, double deadline_s);

  /// Another worker in place of this one. Throws Error as the constructor does.
  void restart();

 private:
  struct State;
  std::vector<std::string> command_;
  std::unique_ptr<State> state_;
};

/// The kernel library's version of a back end as the worker reports it; throws Error when the worker has none.
std::string backend_version(const HelloAnswer& hello, const std::string& backend);

}  // namespace perfatlas
