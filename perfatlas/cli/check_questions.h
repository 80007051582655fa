// SPDX-License-Identifier: Apache-2.0
// Questions of a check to workers that kernels under test may kill.
#pragma once

#include <functional>
#include <utility>

#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// Asks one worker after the other. A kernel that faults, hangs or ends its process costs its own case, not the rest:
/// the case is answered as failed and another worker takes over. A worker whose device was lost with a failed case ends
/// after that answer, so that the next question finds nobody: that one is asked again, once.
class CheckQuestions {
 public:
  /// `restart` starts another worker; what it throws ends the check.
  explicit CheckQuestions(std::function<void()> restart) : restart_(std::move(restart)) {}

  /// `question` asks the worker about one case and throws WorkerLost when it is gone.
  WorkerAnswer ask(const std::function<WorkerAnswer()>& question);

 private:
  std::function<void()> restart_;
  bool failed_before_ = false;
};

}  // namespace perfatlas
