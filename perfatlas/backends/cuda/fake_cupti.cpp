// SPDX-License-Identifier: Apache-2.0
// For tests: a CUPTI that has seen two kernels, delivered at the flush in the order in which they ended, by a thread of
// its own, as newer ones do. It never sees anything while it is not enabled.
#include <cupti.h>

#include <cstdlib>
#include <cstring>
#include <thread>

namespace {
CUpti_BuffersCallbackRequestFunc request;
CUpti_BuffersCallbackCompleteFunc complete;
bool enabled;
size_t delivered;
}  // namespace

extern "C" {

CUptiResult CUPTIAPI cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc asked,
                                                    CUpti_BuffersCallbackCompleteFunc completed) {
  request = asked, complete = completed;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityEnable(CUpti_ActivityKind) {
  if (std::getenv("FAKE_CUPTI_FORBIDDEN") != nullptr) return CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
  enabled = true;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityDisable(CUpti_ActivityKind) {
  enabled = false;
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiGetResultString(CUptiResult, const char** text) {
  *text = "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES";
  return CUPTI_SUCCESS;
}

CUptiResult CUPTIAPI cuptiActivityFlushAll(uint32_t) {
  if (!enabled) return CUPTI_SUCCESS;
  uint8_t* buffer = nullptr;
  size_t bytes = 0, most = 0;
  request(&buffer, &bytes, &most);
  CUpti_ActivityKernel10 kernels[2] = {};
  for (CUpti_ActivityKernel10& kernel : kernels) kernel.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  kernels[0].name = "second", kernels[0].start = 5000, kernels[0].end = 6500;
  kernels[1].name = "first", kernels[1].start = 1000, kernels[1].end = 13300;
  std::memcpy(buffer, kernels, sizeof kernels);
  delivered = 0;
  std::thread([&] { complete(nullptr, 0, buffer, bytes, sizeof kernels); }).join();
  return CUPTI_SUCCESS;
}
CUptiResult CUPTIAPI cuptiActivityGetNextRecord(uint8_t* buffer, size_t bytes, CUpti_Activity** record) {
  const size_t at = delivered++ * sizeof(CUpti_ActivityKernel10);
  if (at >= bytes) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(buffer + at);
  return CUPTI_SUCCESS;
}

}  // extern "C"
