// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/reuse.h"

#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

std::string non_empty(const YamlPlace& entry, const char* key) {
  std::string text = entry.need(key).text();
  if (text.empty()) entry.at(key).refuse("it is empty");
  return text;
}

std::string stem_of(std::string name) { return name.substr(0, name.rfind('.')); }

}  // namespace

std::vector<TableDonor> read_reuse(const YamlDocument& document) {
  std::vector<TableDonor> donors;
  document.root().need("reuse").each_item([&](const YamlPlace& entry) {
    for (const char* const key : {"reason", "approved_by"}) (void)non_empty(entry, key);
    donors.push_back({non_empty(entry, "table"), non_empty(entry, "from_version")});
  });
  return donors;
}

std::vector<TableDonor> parse_reuse(std::string_view text, const std::string& path) {
  return read_reuse(YamlDocument::parse(text, path));
}

std::vector<SharedKernel> read_reuse_manifest(const YamlDocument& document) {
  std::vector<SharedKernel> kernels;
  document.root().need("groups").each_item([&](const YamlPlace& group) {
    const std::string tier = group.need("tier").text();
    if (tier != "shared" && tier != "shared_fallback") return;
    SharedKernel kernel{stem_of(group.need("op_file").text()), group.need("kernel_source").text(), {}};
    group.need("frameworks").each_item([&](const YamlPlace& name) {
      kernel.frameworks.push_back(name.text());
    });
    if (kernel.frameworks.size() > 1) kernels.push_back(std::move(kernel));
  });
  return kernels;
}

std::vector<SharedKernel> parse_reuse_manifest(std::string_view text, const std::string& path) {
  return read_reuse_manifest(YamlDocument::parse(text, path));
}

}  // namespace perfatlas
