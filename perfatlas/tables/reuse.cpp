// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/reuse.h"

#include <fmt/format.h>

#include "perfatlas/base/text.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

std::string non_empty(const YamlPlace& entry, const char* key) {
  std::string text = entry.need(key).text();
  if (text.empty()) entry.at(key).refuse("it is empty");
  return text;
}

constexpr char kSeparator = '\t';

std::string stem_of(std::string name) { return name.substr(0, name.rfind('.')); }

}  // namespace

std::vector<TableDonor> parse_reuse(std::string_view text, const std::string& path) {
  std::vector<TableDonor> donors;
  with_yaml(text, path, [&](const YamlPlace& root) {
    root.need("reuse").each_item([&](const YamlPlace& entry) {
      for (const char* const key : {"reason", "approved_by"}) (void)non_empty(entry, key);
      donors.push_back({non_empty(entry, "table"), non_empty(entry, "from_version")});
    });
  });
  return donors;
}

std::vector<SharedKernel> parse_reuse_manifest(std::string_view text, const std::string& path) {
  std::vector<SharedKernel> kernels;
  with_yaml(text, path, [&](const YamlPlace& root) {
    root.need("groups").each_item([&](const YamlPlace& group) {
      const std::string tier = group.need("tier").text();
      if (tier != "shared" && tier != "shared_fallback") return;
      SharedKernel kernel{stem_of(group.need("op_file").text()), group.need("kernel_source").text(), {}};
      group.need("frameworks").each_item([&](const YamlPlace& name) {
        kernel.frameworks.push_back(name.text());
      });
      if (kernel.frameworks.size() > 1) kernels.push_back(std::move(kernel));
    });
  });
  return kernels;
}

std::string shared_kernel_lines(const std::vector<SharedKernel>& kernels) {
  std::string lines;
  for (const SharedKernel& kernel : kernels) {
    lines += kernel.table + kSeparator + kernel.kernel;
    for (const std::string& framework : kernel.frameworks) lines += kSeparator + framework;
    lines += '\n';
  }
  return lines;
}

std::optional<std::vector<SharedKernel>> shared_kernels_of_lines(std::string_view lines) {
  std::vector<SharedKernel> kernels;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == lines.npos) return std::nullopt;
    const auto words = split(lines.substr(0, end), kSeparator);
    if (words.size() < 3) return std::nullopt;
    kernels.push_back({std::string(words[0]), std::string(words[1]), {words.begin() + 2, words.end()}});
    lines.remove_prefix(end + 1);
  }
  return kernels;
}

}  // namespace perfatlas
