// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_catalogue.h"

#include <algorithm>
#include <span>

#include "perfatlas/base/embedded_file.h"

namespace perfatlas {

std::span<const EmbeddedFile> embedded_systems();  // cmake/embed_files.cmake

std::vector<SystemSpec> known_systems() {
  std::vector<SystemSpec> systems;
  for (const EmbeddedFile& file : embedded_systems())
    systems.push_back(parse_system_spec(file.text, std::string(file.name)).spec);
  std::sort(systems.begin(), systems.end(),
            [](const SystemSpec& a, const SystemSpec& b) { return a.system < b.system; });
  return systems;
}

std::optional<SystemSpec> find_known_device(std::string_view device) {
  for (SystemSpec& known : known_systems())
    if (known.device == device) return std::move(known);
  return std::nullopt;
}

}  // namespace perfatlas
