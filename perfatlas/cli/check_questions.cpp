// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/check_questions.h"

#include "perfatlas/cli/worker_session.h"

namespace perfatlas {

WorkerAnswer CheckQuestions::ask(const std::function<WorkerAnswer()>& question) {
  for (bool again = std::exchange(failed_before_, false);; again = false) {
    try {
      WorkerAnswer answer = question();
      failed_before_ = std::holds_alternative<FailedAnswer>(answer);
      return answer;
    } catch (const WorkerLost& lost) {
      restart_();
      if (!again) return FailedAnswer{lost.what()};
    }
  }
}

}  // namespace perfatlas
