// SPDX-License-Identifier: Apache-2.0
// The extension module perfatlas._core; perfatlas/__init__.py puts the classes of the ops on top.
#include <pybind11/stl.h>

#include <memory>
#include <mutex>

#include "answer_object.h"
#include "case_object.h"
#include "perfatlas/base/error.h"
#include "perfatlas/db/compatible_database.h"
#include "perfatlas/db/database.h"
#include "perfatlas/db/published_database.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/layout.h"

namespace py = pybind11;

namespace perfatlas {
namespace {

const OpRegistry& ops() {
  static const OpRegistry registry = all_ops();
  return registry;
}

struct Options {
  QueryOptions query;
  aic::ViewOptions view;  // of the engine aic
};

template <class Enum>
Enum named(const std::string& name, const std::string& value, const char* choices) {
  const std::optional<Enum> found = from_name<Enum>(value);
  if (!found) throw UsageError(name + " is none of " + choices);
  return *found;
}

void set_option(Options& options, const std::string& name, const py::handle& value) {
  const std::pair<const char*, std::string QueryOptions::*> texts[] = {{"system", &QueryOptions::system},
                                                                       {"backend", &QueryOptions::backend},
                                                                       {"version", &QueryOptions::version},
                                                                       {"kernel", &QueryOptions::kernel}};
  for (const auto& [text, member] : texts)
    if (name == text) return void(options.query.*member = value.cast<std::string>());
  if (name == "allow_sol") return void(options.query.allow_sol = value.cast<bool>());
  const std::string word = py::str(value);
  if (name == "cache_state")
    options.query.cache_state = named<CacheState>(name, word, "serving, hot and cold");
  else if (name == "engine")
    options.query.engine = named<Engine>(name, word, "atlas and aic");
  else if (name == "mode" && aic::mode_from_name(word))
    options.view.mode = *aic::mode_from_name(word);
  else if (name == "mode")
    throw UsageError("mode is none of SILICON, HYBRID, EMPIRICAL, SOL and SOL_FULL");
  else if (name == "transfers")
    options.view.transfers = aic::TransferPolicy::from_text(word);
  else
    throw UsageError("latency() has no option '" + name + "'");
}

Options options_of(const py::kwargs& kwargs) {
  Options options;
  for (const auto& [key, value] : kwargs)
    if (!value.is_none()) set_option(options, py::str(key), value);
  return options;
}

/// What any Python thread may ask.
class Source {
 public:
  virtual ~Source() = default;
  virtual Answer query(const Case& asked, const Options& options) = 0;
  virtual std::vector<std::string> systems() const = 0;
};

/// Tables that were placed, asked one thread at a time.
class PlacedSource final : public Source {
 public:
  explicit PlacedSource(const std::string& path) : database_(data_root(path)) {}

  Answer query(const Case& asked, const Options& options) override {
    const std::lock_guard lock(mutex_);
    return database_.query(asked, options.query);
  }
  std::vector<std::string> systems() const override { return database_.systems(); }

 private:
  std::mutex mutex_;
  Database database_;
};

class PublishedSource final : public Source {
 public:
  explicit PublishedSource(const std::vector<std::string>& paths)
      : root_(std::make_shared<const SystemsRoot>(paths, ops())), database_(root_), compatible_(root_) {}

  Answer query(const Case& asked, const Options& options) override {
    if (options.query.engine == Engine::aic) return compatible_.query(asked, options.query, options.view);
    return database_.query(asked, options.query);
  }
  std::vector<std::string> systems() const override { return root_->systems(); }

 private:
  std::shared_ptr<const SystemsRoot> root_;
  PublishedDatabase database_;
  CompatibleDatabase compatible_;
};

std::unique_ptr<Source> open_source(const std::string& path, const std::vector<std::string>& systems_paths) {
  if (systems_paths.empty()) return std::make_unique<PlacedSource>(path);
  if (!path.empty()) throw UsageError("a database has a path or a systems_path, not both");
  return std::make_unique<PublishedSource>(systems_paths);
}

py::dict latency(Source& source, const std::string& op_id, const py::dict& fields, const py::kwargs& kwargs) {
  const OpType& op = ops().get(op_id);
  const Options options = options_of(kwargs);
  if (!has_arrays(fields)) {
    const Case asked = case_of(op, fields);
    return answer_object([&] {
      const py::gil_scoped_release others_may_run;
      return source.query(asked, options);
    }());
  }
  const CaseArray cases = cases_of(op, fields);
  std::vector<Answer> answers;
  {
    const py::gil_scoped_release others_may_run;
    answers.reserve(cases.cases.size());
    for (const Case& asked : cases.cases) answers.push_back(source.query(asked, options));
  }
  return answer_arrays(answers, cases.shape);
}

}  // namespace
}  // namespace perfatlas

PYBIND11_MODULE(_core, m) {
  using namespace perfatlas;
  py::register_exception<Error>(m, "Error", PyExc_RuntimeError);
  py::register_exception<UsageError>(m, "UsageError", PyExc_ValueError);
  m.def("declarations", [] {
    py::list list;
    for (const auto& op : ops().ops()) list.append(declaration_object(*op));
    return list;
  });
  py::class_<Source>(m, "Database")
      .def(py::init(&open_source), py::arg("path") = "",
           py::arg("systems_paths") = std::vector<std::string>())
      .def("latency", &latency)
      .def("systems", &Source::systems);
}
