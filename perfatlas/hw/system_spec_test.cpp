// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/system_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "perfatlas/base/error.h"
#include "perfatlas/hw/measured_peaks.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

SystemSpec example() {
  SystemSpec spec{.system = "xeon_2c_amx", .device = "Intel(R) Xeon(R) \"Processor\"", .kind = "cpu"};
  spec.memory_bytes = 24e9;
  spec.llc_bytes = 503316480;
  spec.memory_bandwidth = {.datasheet = 307.2e9, .measured = 21.5e9, .measured_rel_ci95 = 0.01};
  spec.flops[DType::bf16] = {.measured = 1.0 / 3 * 1e13, .measured_rel_ci95 = 0.02};
  spec.sockets = 1;
  spec.cores = 2;
  spec.isa = {"avx512f", "amx_bf16"};
  spec.caches = {{1, 49152, 2}, {3, 503316480, 1}};
  spec.probed_at = "2026-01-02T03:04:05Z";
  spec.versions = {{"kernel", "6.1"}};
  return spec;
}

constexpr const char* kExampleText = R"({
  "format": "perfatlas-system",
  "revision": 1,
  "system": "xeon_2c_amx",
  "device": "Intel(R) Xeon(R) \"Processor\"",
  "kind": "cpu",
  "memory_bytes": 24000000000.0,
  "llc_bytes": 503316480.0,
  "memory_bandwidth_bytes_per_s": {
    "datasheet": 307200000000.0,
    "measured": 21500000000.0,
    "measured_rel_ci95": 0.01
  },
  "flops_per_s": {
    "bfloat16": {
      "measured": 3333333333333.333,
      "measured_rel_ci95": 0.02
    }
  },
  "cpu": {
    "sockets": 1,
    "cores": 2,
    "isa": [
      "avx512f",
      "amx_bf16"
    ]
  },
  "caches": [
    {
      "level": 1,
      "bytes": 49152.0,
      "instances": 2
    },
    {
      "level": 3,
      "bytes": 503316480.0,
      "instances": 1
    }
  ],
  "probed_at": "2026-01-02T03:04:05Z",
  "versions": {
    "kernel": "6.1"
  }
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string complaint(const std::string& json) {
  try {
    parse_system_spec(json, "spec.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SystemSpec, WrittenFormIsStable) { EXPECT_EQ(system_spec_json(example()), kExampleText); }

TEST(SystemSpec, ReadsBackWhatWasWritten) {
  const ParsedSystemSpec parsed = parse_system_spec(kExampleText, "spec.json");
  EXPECT_EQ(parsed.spec, example());
  EXPECT_THAT(parsed.notes, testing::IsEmpty());
}

TEST(SystemSpec, UnknownValuesAreLeftOut) {
  const SystemSpec bare{.system = "a", .device = "b", .kind = "cuda"};
  const std::string text = system_spec_json(bare);
  EXPECT_EQ(text,
            "{\n  \"format\": \"perfatlas-system\",\n  \"revision\": 1,\n  \"system\": \"a\",\n"
            "  \"device\": \"b\",\n  \"kind\": \"cuda\"\n}\n");
  EXPECT_EQ(parse_system_spec(text, "").spec, bare);
}

TEST(SystemSpec, UnknownKeysOfThisRevisionAreNoted) {
  std::string text = replaced(kExampleText, "\"kind\"", "\"colour\": \"blue\",\n  \"kind\"");
  text = replaced(text, "\"datasheet\"", "\"guess\": 1, \"datasheet\"");
  text = replaced(text, "\"bfloat16\"", "\"float512\": {}, \"bfloat16\"");
  const ParsedSystemSpec parsed = parse_system_spec(text, "spec.json");
  EXPECT_EQ(parsed.spec, example());
  EXPECT_THAT(parsed.notes,
              testing::ElementsAre(
                  "spec.json: \"colour\" is not a known key and was ignored",
                  "spec.json: \"memory_bandwidth_bytes_per_s.guess\" is not a known key and was ignored",
                  "spec.json: \"flops_per_s.float512\" is not a known element type and was ignored"));
}

TEST(SystemSpec, MalformedFilesAreNamedInOneLine) {
  const struct {
    const char *from, *to, *complaint;
  } cases[] = {
      {"\"revision\": 1", "\"revision\": 2",
       "spec.json: \"revision\" is 2 but this program reads up to 1; install a newer perfatlas"},
      {"\"revision\": 1,", "", "spec.json: \"revision\" is missing"},
      {"perfatlas-system", "something",
       "spec.json: \"format\" must be \"perfatlas-system\": this is not a system description"},
      {"\"kind\": \"cpu\"", "\"kind\": \"tpu\"", "spec.json: \"kind\" must be \"cpu\" or \"cuda\""},
      {"\"xeon_2c_amx\"", "\"../Xeon\"",
       "spec.json: \"system\" must consist of lower-case letters, digits and underscores: it names a folder"},
      {"\"xeon_2c_amx\"", "\"\"", "spec.json: \"system\" is empty"},
      {"24000000000.0", "0",
       "spec.json: \"memory_bytes\" is 0: must be a positive number; leave the key out when it is unknown"},
      {"21500000000.0", "null",
       "spec.json: \"memory_bandwidth_bytes_per_s.measured\" is null: must be a positive number; leave the "
       "key out when it is unknown"},
      {"0.02", "-1",
       "spec.json: \"flops_per_s.bfloat16.measured_rel_ci95\" is -1: must be a non-negative number; leave "
       "the key out when it is unknown"},
      {"\"cores\": 2", "\"cores\": 2.5", "spec.json: \"cpu.cores\" is 2.5: must be a positive integer"},
      {"\"avx512f\"", "512", "spec.json: \"cpu.isa\" holds 512: must be text"},
      {"\"level\": 3,", "", "spec.json: \"caches[1].level\" is missing"},
      {"\"6.1\"", "6.1", "spec.json: \"versions.kernel\" is 6.1: must be text"},
      {"\"kind\": \"cpu\"", "\"kind\" \"cpu\"",
       "spec.json:6: not valid JSON (truncated or edited?); write it again with `perfatlas probe`"},
      {"24000000000.0", "1e999",
       "spec.json: holds a number that is out of range; write it again with `perfatlas probe`"},
  };
  for (const auto& c : cases) EXPECT_EQ(complaint(replaced(kExampleText, c.from, c.to)), c.complaint);
  EXPECT_EQ(complaint("[]"), "spec.json: must be an object");
}

TEST(SystemSpec, EveryTruncationIsRefused) {
  const std::string text = kExampleText;
  for (size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_NE(complaint(text.substr(0, length)), "accepted") << length;
}

RC_GTEST_PROP(SystemSpec, AnyBytesEitherParseOrThrowError, (const std::string& bytes)) {
  try {
    parse_system_spec(bytes, "x");
  } catch (const Error& error) {
    RC_ASSERT(std::string(error.what()).find('\n') == std::string::npos);
  }
}

RC_GTEST_PROP(SystemSpec, FiguresReadBackExactly, ()) {
  const auto positive = [] {
    return std::ldexp(1.0 + *rc::gen::inRange(0, 1 << 30) / 1e9, *rc::gen::inRange(-60, 200));
  };
  SystemSpec spec{.system = "s", .device = "d", .kind = "cuda"};
  spec.memory_bytes = positive();
  spec.llc_bandwidth = {.datasheet = positive(), .measured = positive(), .measured_rel_ci95 = positive()};
  spec.flops[DType::fp4].measured = positive();
  spec.power_limit_w = positive();
  spec.sm_version = *rc::gen::inRange(1, 200);
  RC_ASSERT(parse_system_spec(system_spec_json(spec), "").spec == spec);
}

class SystemSpecFile : public testing::Test {
 protected:
  SystemSpecFile() : folder_(fs::path(testing::TempDir()) / ("perfatlas_hw_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~SystemSpecFile() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(SystemSpecFile, IsReplacedAsAWhole) {
  const std::string path = folder_ / "system.json";
  write_system_spec(SystemSpec{.system = "old", .device = "d", .kind = "cpu"}, path);
  write_system_spec(example(), path);
  EXPECT_EQ(read_system_spec(path), example());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a temporary file was left behind";
}

TEST_F(SystemSpecFile, FailuresNameTheFileAndTheRemedy) {
  const auto failure = [](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no failure");
  };
  const std::string missing = folder_ / "none.json";
  EXPECT_THAT(failure([&] { read_system_spec(missing); }), testing::HasSubstr(missing));
  const std::string nowhere = folder_ / "no" / "such" / "folder.json";
  EXPECT_THAT(failure([&] { write_system_spec(example(), nowhere); }), testing::HasSubstr("folder.json"));
  EXPECT_THROW(read_system_spec(folder_), Error);  // a folder is not a file
}

TEST(MeasuredPeaks, EnterBesideTheDataSheet) {
  MeasuredPeaks peaks;
  peaks.memory_bandwidth = {20e9, 0.03};
  peaks.flops[DType::int8] = {4e12, 0.01};
  const SystemSpec merged = merge(example(), peaks);
  EXPECT_EQ(merged.memory_bandwidth, (Figure{307.2e9, 20e9, 0.03}));
  EXPECT_EQ(merged.flops.at(DType::int8), (Figure{std::nullopt, 4e12, 0.01}));
  EXPECT_EQ(merged.flops.at(DType::bf16), example().flops.at(DType::bf16));
  EXPECT_EQ(merged.llc_bandwidth, Figure{});
}

TEST(MeasuredPeaks, AFailedMeasurementChangesNothing) {
  MeasuredPeaks peaks;
  peaks.memory_bandwidth = {0, 0};
  peaks.llc_bandwidth = {std::nan(""), 0};
  peaks.flops[DType::int8] = {-1, 0};
  EXPECT_EQ(merge(example(), peaks), example());
}

}  // namespace
}  // namespace perfatlas
