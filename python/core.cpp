// SPDX-License-Identifier: Apache-2.0
// The extension module perfatlas._core; perfatlas/__init__.py puts the classes of the ops on top.
#include <pybind11/stl.h>

#include <mutex>

#include "answer_object.h"
#include "case_object.h"
#include "perfatlas/base/error.h"
#include "perfatlas/db/database.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/layout.h"

namespace py = pybind11;

namespace perfatlas {
namespace {

const OpRegistry& ops() {
  static const OpRegistry registry = all_ops();
  return registry;
}

QueryOptions options_of(const py::kwargs& kwargs) {
  QueryOptions options;
  for (const auto& [key, value] : kwargs) {
    const std::string name = py::str(key);
    if (value.is_none()) continue;
    if (name == "system")
      options.system = value.cast<std::string>();
    else if (name == "backend")
      options.backend = value.cast<std::string>();
    else if (name == "version")
      options.version = value.cast<std::string>();
    else if (name == "kernel")
      options.kernel = value.cast<std::string>();
    else if (name == "allow_sol")
      options.allow_sol = value.cast<bool>();
    else if (name == "cache_state") {
      options.cache_state = from_name<CacheState>(value.cast<std::string>());
      if (!options.cache_state) throw UsageError("cache_state is none of serving, hot and cold");
    } else
      throw UsageError("latency() has no option '" + name + "'");
  }
  return options;
}

/// A Database that any Python thread may ask, one at a time.
class SharedDatabase {
 public:
  explicit SharedDatabase(const std::string& path) : database_(data_root(path)) {}

  py::dict latency(const std::string& op_id, const py::dict& fields, const py::kwargs& kwargs) {
    const OpType& op = ops().get(op_id);
    const QueryOptions options = options_of(kwargs);
    const std::lock_guard lock(mutex_);
    if (!has_arrays(fields)) return answer_object(database_.query(case_of(op, fields), options));
    return answer_arrays(cases_of(op, fields), [&](const Case& c) { return database_.query(c, options); });
  }

  std::vector<std::string> systems() const { return database_.systems(); }

 private:
  std::mutex mutex_;
  Database database_;
};

}  // namespace
}  // namespace perfatlas

PYBIND11_MODULE(_core, m) {
  using namespace perfatlas;
  const auto error = py::register_exception<Error>(m, "Error", PyExc_RuntimeError);
  py::register_exception<UsageError>(m, "UsageError", PyExc_ValueError);
  m.def("declarations", [] {
    py::list list;
    for (const auto& op : ops().ops()) list.append(declaration_object(*op));
    return list;
  });
  py::class_<SharedDatabase>(m, "Database")
      .def(py::init<const std::string&>(), py::arg("path") = "")
      .def("latency", &SharedDatabase::latency)
      .def("systems", &SharedDatabase::systems);
}
