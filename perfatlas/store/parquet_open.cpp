// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/plugin.h"
#include "perfatlas/store/parquet_open_impl.h"

namespace perfatlas {

std::unique_ptr<ParquetCodec> open_parquet_codec() {
  constexpr Plugin kPlugin{"libperfatlas_parquet.so", "PERFATLAS_PARQUET", "Parquet",
                           "PERFATLAS_WITH_PARQUET"};
  const auto factory =
      reinterpret_cast<ParquetCodecFactory>(plugin_symbol(kPlugin, "perfatlas_parquet_codec"));
  ParquetCodec* const codec = factory == nullptr ? nullptr : factory(kParquetCodecAbi);
  if (codec == nullptr) refuse_plugin_version(kPlugin);
  return std::unique_ptr<ParquetCodec>(codec);
}

}  // namespace perfatlas
