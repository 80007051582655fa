// SPDX-License-Identifier: Apache-2.0
#include "answer_object.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <limits>

namespace py = pybind11;

namespace perfatlas {
namespace {

py::object number(const std::optional<double>& value) {
  return value ? py::object(py::float_(*value)) : py::object(py::none());
}

py::list support_list(const std::vector<SupportingRow>& rows) {
  py::list list;
  for (const SupportingRow& row : rows)
    list.append(py::dict(py::arg("point") = row.point, py::arg("latency_ms") = row.latency_ms,
                         py::arg("rel_ci95") = number(row.rel_ci95),
                         py::arg("kernel_source") = row.kernel_source, py::arg("weight") = row.weight,
                         py::arg("origin") = row.origin));
  return list;
}

}  // namespace

py::dict answer_object(const Answer& answer) {
  py::object state = py::none();
  if (answer.cache_state) state = py::str(std::string(name_of(*answer.cache_state)));
  return py::dict(
      py::arg("source") = std::string(name_of(answer.source)),
      py::arg("latency_ms") = answer ? number(answer.latency_ms) : py::object(py::none()),
      py::arg("energy_mj") = number(answer.energy_mj), py::arg("rel_error") = number(answer.rel_error),
      py::arg("engine") = std::string(name_of(answer.engine)),
      py::arg("intervals") =
          answer.intervals ? py::object(py::tuple(py::cast(*answer.intervals))) : py::object(py::none()),
      py::arg("repaired") = answer.repaired, py::arg("faster_than_light") = answer.faster_than_light,
      py::arg("distance_octaves") = answer.distance_octaves, py::arg("sol_ms") = number(answer.sol_ms),
      py::arg("derived_from") = support_list(answer.derived_from), py::arg("system") = answer.system,
      py::arg("backend") = answer.backend, py::arg("version") = answer.version,
      py::arg("kernel_source") = answer.kernel_source, py::arg("cache_state") = state,
      py::arg("notes") = answer.notes, py::arg("miss_reason") = answer.miss_reason);
}

py::dict answer_arrays(const std::vector<Answer>& answers, const std::vector<py::ssize_t>& shape) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  py::array_t<double> latency(shape), energy(shape), error(shape), sol(shape);
  py::list sources, reasons;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Answer& answer = answers[i];
    latency.mutable_data()[i] = answer ? answer.latency_ms : unknown;
    energy.mutable_data()[i] = answer.energy_mj.value_or(unknown);
    error.mutable_data()[i] = answer.rel_error.value_or(unknown);
    sol.mutable_data()[i] = answer.sol_ms.value_or(unknown);
    sources.append(std::string(name_of(answer.source)));
    reasons.append(answer.miss_reason);
  }
  const py::object source = py::module_::import("numpy")
                                .attr("array")(sources, py::arg("dtype") = "U16")
                                .attr("reshape")(py::cast(shape));
  return py::dict(py::arg("latency_ms") = latency, py::arg("energy_mj") = energy,
                  py::arg("rel_error") = error, py::arg("sol_ms") = sol, py::arg("source") = source,
                  py::arg("miss_reason") = reasons);
}

}  // namespace perfatlas
