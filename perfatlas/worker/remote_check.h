// SPDX-License-Identifier: Apache-2.0
// Checks of kernels in workers that do not know the references: the worker only launches, the judgement is made here.
#pragma once

#include <functional>

#include "perfatlas/schema/op_type.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// Sends one request and waits for its answer.
using AskWorker = std::function<WorkerAnswer(const Request&)>;

/// What a check request would be answered: a kernels request finds the kernel, launch requests run it, and the results
/// are judged as those of every other kernel (backends/harness_check.h). The seed is that of `what`; its case and its
/// offer are made from `c`. CheckAnswer, SkippedAnswer or FailedAnswer.
WorkerAnswer check_remotely(const Case& c, KernelSelector what, const AskWorker& ask);

}  // namespace perfatlas
