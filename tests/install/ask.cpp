// SPDX-License-Identifier: Apache-2.0
// Asks an installed library for a latency: ask DATA
#include <cstdio>

#include "perfatlas/base/error.h"
#include "perfatlas/db/database.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"

int main(int argc, char** argv) {
  using namespace perfatlas;
  if (argc != 2) return 2;
  try {
    const OpRegistry ops = all_ops();
    Database database(argv[1]);
    const Gemm gemm{.dtype = Quant::bf16, .m = 8, .n = 64, .k = 32};
    const Answer answer = database.query({&ops.get("gemm"), encode(gemm)}, {});
    if (!answer) throw Error(answer.miss_reason);
    std::printf("%.4g ms\n", answer.latency_ms);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
