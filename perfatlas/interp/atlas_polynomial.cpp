// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_polynomial.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace perfatlas {
namespace {

constexpr size_t kNodes = 3;       // per axis: degree 2
constexpr size_t kMostTerms = 81;  // kNodes to the power of kMaxAxes
constexpr double kAgreement = 1e-9, kNegligible = 1e-13;

using Nodes = std::array<std::array<double, kNodes>, kMaxAxes>;

/// Coefficients of both parts, the last axis fastest; `terms` per axis.
struct Polynomial {
  size_t axes = 1;
  std::array<size_t, kMaxAxes> terms{};
  std::array<double, kMaxAxes> scale{};  // positions are divided by it, so that powers stay near 1
  std::vector<double> math, memory;

  /// Horner's scheme, one axis after the other from the last.
  SolParts at(const double* position) const {
    std::array<double, kMostTerms> m, t;  // what is left after an axis
    const double *from_m = math.data(), *from_t = memory.data();
    size_t left = math.size();
    for (size_t d = axes; d-- > 0;) {
      const double x = position[d] * scale[d];
      const size_t n = terms[d];
      left /= n;
      for (size_t i = 0; i < left; ++i) {
        double sum_m = from_m[i * n + n - 1], sum_t = from_t[i * n + n - 1];
        for (size_t k = n - 1; k-- > 0;) {
          sum_m = sum_m * x + from_m[i * n + k];
          sum_t = sum_t * x + from_t[i * n + k];
        }
        m[i] = sum_m;
        t[i] = sum_t;
      }
      from_m = m.data();
      from_t = t.data();
    }
    return {std::max(0.0, m[0]), std::max(0.0, t[0])};
  }
};

struct PolynomialLaw {
  std::shared_ptr<const Polynomial> polynomial;
  SolParts operator()(const double* at) const { return polynomial->at(at); }
};

/// Three integers of an axis; nothing is known of one that has a single key, so it is probed at multiples.
std::array<double, kNodes> nodes_of(double low, double high) {
  if (high < low + 2) high = std::max(low + 2, 4 * low);
  return {low, std::floor((low + high) / 2), high};
}

/// Values at the nodes of one axis to coefficients of 1, x and x^2. `stride` between nodes.
void to_coefficients(std::vector<double>& values, size_t stride, const std::array<double, kNodes>& x) {
  const double d01 = x[1] - x[0], d12 = x[2] - x[1], d02 = x[2] - x[0];
  for (size_t block = 0; block < values.size(); block += kNodes * stride)
    for (size_t i = block; i < block + stride; ++i) {
      double &v0 = values[i], &v1 = values[i + stride], &v2 = values[i + 2 * stride];
      const double first = (v1 - v0) / d01, second = ((v2 - v1) / d12 - first) / d02;  // Newton's differences
      v0 = v0 - first * x[0] + second * x[0] * x[1];
      v1 = first - second * (x[0] + x[1]);
      v2 = second;
    }
}

Polynomial through_nodes(const SolLaw& law, size_t axes, const Nodes& nodes) {
  Polynomial p{.axes = axes};
  size_t size = 1;
  for (size_t d = 0; d < axes; ++d) {
    p.terms[d] = kNodes;
    p.scale[d] = 1 / nodes[d][kNodes - 1];
    size *= kNodes;
  }
  for (size_t i = 0; i < size; ++i) {
    std::array<double, kMaxAxes> at{};
    for (size_t d = axes, rest = i; d-- > 0; rest /= kNodes) at[d] = nodes[d][rest % kNodes];
    const SolParts parts = law(at.data());
    p.math.push_back(parts.math_ms);
    p.memory.push_back(parts.memory_ms);
  }
  for (size_t d = axes, stride = 1; d-- > 0; stride *= kNodes) {
    std::array<double, kNodes> x{};
    for (size_t i = 0; i < kNodes; ++i) x[i] = nodes[d][i] * p.scale[d];
    to_coefficients(p.math, stride, x);
    to_coefficients(p.memory, stride, x);
  }
  return p;
}

/// Without the highest powers of an axis while they are rounding errors.
void drop_terms(Polynomial& p) {
  const auto largest = [](const std::vector<double>& c) {
    return std::abs(
        *std::max_element(c.begin(), c.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
  };
  const double math = kNegligible * largest(p.math), memory = kNegligible * largest(p.memory);
  for (size_t d = 0; d < p.axes; ++d) {
    size_t stride = 1;
    for (size_t inner = d + 1; inner < p.axes; ++inner) stride *= p.terms[inner];
    while (p.terms[d] > 1) {
      const size_t terms = p.terms[d];
      const auto is_top = [&](size_t i) { return i / stride % terms + 1 == terms; };
      bool used = false;
      for (size_t i = 0; i < p.math.size(); ++i)
        used |= is_top(i) && (std::abs(p.math[i]) > math || std::abs(p.memory[i]) > memory);
      if (used) break;
      std::vector<double> fewer_math, fewer_memory;
      for (size_t i = 0; i < p.math.size(); ++i)
        if (!is_top(i)) {
          fewer_math.push_back(p.math[i]);
          fewer_memory.push_back(p.memory[i]);
        }
      p.math = std::move(fewer_math);
      p.memory = std::move(fewer_memory);
      --p.terms[d];
    }
  }
}

bool agree(const SolParts& a, const SolParts& b) {
  const double scale = kAgreement * a.work_ms();
  return std::abs(a.math_ms - b.math_ms) <= scale && std::abs(a.memory_ms - b.memory_ms) <= scale;
}

/// Places of the box and up to 64 times beyond it.
class Probes {
 public:
  Probes(size_t axes, const Nodes& nodes) : axes_(axes), nodes_(nodes) {}

  std::array<double, kMaxAxes> next() {
    std::array<double, kMaxAxes> at{};
    for (size_t d = 0; d < axes_; ++d) {
      const double high = nodes_[d][kNodes - 1] * kReach[(made_ + d * (made_ / 4)) % kReach.size()];
      const double share = double(random_() % 1024) / 1023;
      at[d] = std::round(nodes_[d][0] + (high - nodes_[d][0]) * share * share);
    }
    ++made_;
    return at;
  }

 private:
  static constexpr std::array<double, 4> kReach{1, 1, 4, 64};
  size_t axes_;
  const Nodes& nodes_;
  std::mt19937 random_{1};
  size_t made_ = 0;
};

bool agrees(const Polynomial& p, const SolLaw& law, const Nodes& nodes) {
  Probes probes(p.axes, nodes);
  for (size_t probe = 0; probe < 32; ++probe) {
    const auto at = probes.next();
    if (!agree(law(at.data()), p.at(at.data()))) return false;
  }
  return true;
}

bool is_straight(const SolLaw& law, size_t axis, size_t axes, const Nodes& nodes) {
  Probes probes(axes, nodes);
  const double low = nodes[axis][0], high = nodes[axis][kNodes - 1];
  for (size_t probe = 0; probe < 16; ++probe) {
    auto at = probes.next();
    const double x = at[axis], share = (x - low) / (high - low);
    const SolParts there = law(at.data());
    at[axis] = low;
    const SolParts a = law(at.data());
    at[axis] = high;
    const SolParts b = law(at.data());
    if (!agree(there, on_line(a, b, share))) return false;
  }
  return true;
}

}  // namespace

SolLaw as_polynomial(SolLaw law, size_t axes, const std::array<double, kMaxAxes>& low,
                     const std::array<double, kMaxAxes>& high) {
  Nodes nodes{};
  for (size_t d = 0; d < axes; ++d) nodes[d] = nodes_of(low[d], high[d]);
  auto polynomial = std::make_shared<Polynomial>(through_nodes(law, axes, nodes));
  drop_terms(*polynomial);
  if (!agrees(*polynomial, law, nodes)) return law;
  return PolynomialLaw{polynomial};
}

uint8_t straight_axes(const SolLaw& law, size_t axes, const std::array<double, kMaxAxes>& low,
                      const std::array<double, kMaxAxes>& high) {
  const auto* const polynomial = law.target<PolynomialLaw>();
  Nodes nodes{};
  for (size_t d = 0; d < axes; ++d) nodes[d] = nodes_of(low[d], high[d]);
  uint8_t straight = 0;
  for (size_t d = 0; d < axes; ++d) {
    const bool is =
        polynomial != nullptr ? polynomial->polynomial->terms[d] <= 2 : is_straight(law, d, axes, nodes);
    straight |= uint8_t(unsigned(is) << d);
  }
  return straight;
}

bool is_polynomial(const SolLaw& law) { return law.target<PolynomialLaw>() != nullptr; }

}  // namespace perfatlas
