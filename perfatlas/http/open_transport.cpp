// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/plugin.h"
#include "perfatlas/http/transport.h"

namespace perfatlas {

std::unique_ptr<HttpTransport> open_http_transport() {
  constexpr Plugin kPlugin{"libperfatlas_http.so", "PERFATLAS_HTTP", "HTTP", "PERFATLAS_WITH_HTTP"};
  const auto factory =
      reinterpret_cast<HttpTransportFactory>(plugin_symbol(kPlugin, "perfatlas_http_transport"));
  HttpTransport* const transport = factory == nullptr ? nullptr : factory(kHttpTransportAbi);
  if (transport == nullptr) refuse_plugin_version(kPlugin);
  return std::unique_ptr<HttpTransport>(transport);
}

}  // namespace perfatlas
