// SPDX-License-Identifier: Apache-2.0
// Where things lie relative to the running executable, in the build tree and when installed.
#pragma once

#include <string>
#include <vector>

namespace perfatlas {

/// The folder of the running executable.
std::string executable_folder();

/// Folders that hold model folders: PERFATLAS_MODELS (colon-separated), then <prefix>/share/perfatlas/models, then
/// data/models of the source tree the executable was built in.
std::vector<std::string> model_libraries();

}  // namespace perfatlas
