// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/align/trace.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Traces : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("perfatlas-align-" + std::to_string(getpid()));

  Traces() { fs::create_directories(folder); }
  ~Traces() override { fs::remove_all(folder); }

  /// A database made by the statements of a file of traces/.
  std::string database(const std::string& script) {
    std::ifstream file(std::string(PERFATLAS_TRACES) + "/" + script);
    std::stringstream statements;
    statements << file.rdbuf();
    const std::string path = folder / "trace.sqlite";
    sqlite3* opened = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &opened), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(opened, statements.str().c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(opened);
    sqlite3_close(opened);
    return path;
  }
  std::string text_file(const std::string& content) {
    const std::string path = folder / "trace";
    std::ofstream(path) << content;
    return path;
  }
};

TEST_F(Traces, ReadsKernelsLaunchesAndRangesOfAnNsysExport) {
  const RecordedTrace trace = read_trace(database("step.sql"));
  ASSERT_EQ(trace.ranges.size(), 4u);
  EXPECT_EQ(trace.ranges[1].name, "gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096");
  EXPECT_EQ(trace.ranges[2].name, "rms_norm dtype=bfloat16 num_tokens=8 hidden_size=4096");
  EXPECT_EQ(trace.launches.size(), 7u);
  ASSERT_EQ(trace.kernels.size(), 7u);
  EXPECT_EQ(trace.kernels[0].name, "nvjet_hsh_64x8");
  EXPECT_EQ(trace.kernels[0].duration_ns, 12000);
}

TEST_F(Traces, ReadsAChromeTrace) {
  const RecordedTrace trace = read_trace(std::string(PERFATLAS_TRACES) + "/step.json");
  ASSERT_EQ(trace.ranges.size(), 2u);
  EXPECT_EQ(trace.ranges[0].end_ns - trace.ranges[0].start_ns, 50500);
  ASSERT_EQ(trace.kernels.size(), 2u);
  EXPECT_EQ(trace.kernels[0].duration_ns, 12250);
}

TEST_F(Traces, KernelsBelongToTheRangeOfTheirLaunchOnTheSameThread) {
  const Trace trace = assign_kernels(read_trace(database("step.sql")));
  ASSERT_EQ(trace.kernels.size(), 7u);
  EXPECT_EQ(trace.kernels[0].range, 1u);
  EXPECT_EQ(trace.kernels[2].range, 2u);
  EXPECT_EQ(trace.kernels[5].range, 0u);            // in the step, in no op
  EXPECT_EQ(trace.kernels[6].range, std::nullopt);  // from a thread without ranges
  EXPECT_EQ(trace.ranges[1].parent, 0u);
  EXPECT_EQ(trace.ranges[0].kernels, 6u);
  EXPECT_EQ(trace.ranges[1].kernels, 2u);
}

TEST_F(Traces, SaysWhatAFileIsNot) {
  const auto reading = [](const std::string& path) { return [path] { read_trace(path); }; };
  EXPECT_THAT(reading("/no/such/file"), ThrowsMessage<Error>(HasSubstr("cannot be read")));
  EXPECT_THAT(reading(text_file("kernel,us\n")), ThrowsMessage<Error>(HasSubstr("neither an SQLite export")));
  EXPECT_THAT(reading(text_file("{\"a\": ")), ThrowsMessage<Error>(HasSubstr("is no JSON")));
  EXPECT_THAT(reading(text_file("{\"a\": 1}")), ThrowsMessage<Error>(HasSubstr("has no traceEvents")));
  EXPECT_THAT(reading(text_file("{\"traceEvents\": []}")), ThrowsMessage<Error>(HasSubstr("has no kernel")));
}

}  // namespace
}  // namespace perfatlas
