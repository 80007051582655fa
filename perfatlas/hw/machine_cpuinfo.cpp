// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_cpuinfo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

// Names as Linux writes them, x86 first, then ARM.
constexpr std::string_view kIsa[] = {
    "sse4_2",   "avx",      "f16c",        "fma",         "avx2",        "avx_vnni", "avx512f",
    "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8",
    "amx_bf16", "amx_fp16", "asimd",       "asimdhp",     "asimddp",     "bf16",     "i8mm",
    "sve",      "sve2",     "svebf16",     "svei8mm",     "sme",         "sme2"};

// Words of brand texts that tell nothing.
constexpr std::string_view kFiller[] = {"intel", "amd",         "nvidia", "cpu",      "processor", "core",
                                        "gen",   "corporation", "with",   "graphics", "radeon",    "genuine"};

/// Lower-case words of letters and digits; "(R)" and "(TM)" are dropped, and what follows '@' (a frequency).
std::vector<std::string> words_of(std::string_view text) {
  text = text.substr(0, text.find('@'));
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') {
      i = std::min(text.find(')', i), text.size());
      words.emplace_back();
    } else if (std::isalnum(static_cast<unsigned char>(text[i]))) {
      words.back() += char(std::tolower(static_cast<unsigned char>(text[i])));
    } else {
      words.emplace_back();
    }
  }
  return words;
}

/// "96-Core" in a brand repeats the number of cores.
void drop_core_count(std::vector<std::string>& words) {
  for (size_t i = 1; i < words.size(); ++i)
    if (words[i] == "core" && parse_integer(words[i - 1])) words[i - 1].clear();
}

std::string folder_name(std::vector<std::string> words) {
  drop_core_count(words);
  std::string name;
  for (const std::string& word : words) {
    if (word.empty() || std::find(std::begin(kFiller), std::end(kFiller), word) != std::end(kFiller))
      continue;
    if (!name.empty()) name += '_';
    name += word;
  }
  return name;
}

std::string_view widest_extension(const std::vector<std::string>& isa) {
  const auto has = [&](std::string_view name) {
    return std::find(isa.begin(), isa.end(), name) != isa.end();
  };
  if (has("amx_tile")) return "amx";
  if (has("avx512f")) return "avx512";
  if (has("avx2")) return "avx2";
  if (has("sme")) return "sme";
  if (has("sve")) return "sve";
  return {};
}

std::string collapse_blanks(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' '))
    if (!word.empty()) words.push_back(word);
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

CpuInfo parse_cpuinfo(std::string_view cpuinfo) {
  CpuInfo cpu;
  for (const std::string_view line : split(cpuinfo, '\n')) {
    const size_t colon = line.find(':');
    if (colon == line.npos) {
      if (trim(line).empty() && !cpu.isa.empty()) break;  // the end of the first processor
      continue;
    }
    const std::string_view key = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    if (key == "model name") cpu.model_name = collapse_blanks(value);
    if (key != "flags" && key != "Features") continue;
    const std::vector<std::string_view> flags = split(value, ' ');
    const auto has = [&](std::string_view flag) {
      return std::find(flags.begin(), flags.end(), flag) != flags.end();
    };
    for (const std::string_view name : kIsa)
      if (has(name)) cpu.isa.emplace_back(name);
    cpu.hypervisor = has("hypervisor");
  }
  return cpu;
}

std::string suggest_cpu_system(const CpuInfo& cpu, int cores) {
  std::string name = folder_name(words_of(cpu.model_name));
  if (name.empty()) name = "cpu";
  if (cores > 0) name += fmt::format("_{}c", cores);
  if (const std::string_view extension = widest_extension(cpu.isa); !extension.empty())
    name += fmt::format("_{}", extension);
  return name;
}

std::string suggest_gpu_system(std::string_view device_name) {
  const std::string name = folder_name(words_of(device_name));
  return name.empty() ? "gpu" : name;
}

}  // namespace perfatlas
