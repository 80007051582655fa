// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "perfatlas/store/column_batch.h"

namespace perfatlas {

/// A codec from the plug-in, which is opened on the first call and stays open. Throws Error naming where it was
/// looked for.
std::unique_ptr<ParquetCodec> open_parquet_codec();

}  // namespace perfatlas
