// SPDX-License-Identifier: Apache-2.0
// llama.cpp's server batches like vLLM: one token of every generating slot first, then prompts up to the batch size.
// Its micro-batches are not told apart here.
#include "perfatlas/serving/scheduler.h"

namespace perfatlas {

std::unique_ptr<Scheduler> make_llama_cpp_scheduler(EngineSetup setup) {
  return make_vllm_scheduler(std::move(setup));
}

}  // namespace perfatlas
