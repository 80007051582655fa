// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "perfatlas/aic/engine.h"

namespace perfatlas::aic {

/// Whose tables are asked.
struct EnginePlace {
  std::string system, backend, version;  // see Engine::open
};

/// The answers of the mode come from the description of the machine alone, so that a system without tables of the back
/// end has some, too, and so has, where unlisted versions are allowed, a version that no folder is called by. False for
/// back ends of which no system has tables: they are misspelt.
bool answers_without_tables(const SystemsRoot& root, const EnginePlace& place, Mode mode);

/// Engine::described where answers_without_tables, else Engine::open.
Engine open_engine(const SystemsRoot& root, const EnginePlace& place, Mode mode);

}  // namespace perfatlas::aic
