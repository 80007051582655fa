// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm_aic_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "perfatlas/aic/roofline.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { dtype_column, m_column, n_column, k_column };

SolFunction over_sites(const GemmSol& sol) {
  return [sol](const Coordinates& at) { return sol.parts(at[2], at[0], at[1]).ms(); };
}
SolFunction over_mnk(const GemmSol& sol) {
  return [sol](const Coordinates& at) { return sol.parts(at[0], at[1], at[2]).ms(); };
}

/// Rows in the order in which nested maps m -> n -> k would list them when each keeps its keys in order of arrival:
/// equally distant weight shapes are told apart by it.
std::vector<uint32_t> nested_order(const TableFields& fields, const std::vector<uint32_t>& rows) {
  // A group is one (m, n); rows of a group often follow each other.
  struct Group {
    int64_t m = -1, n = -1;
    uint32_t rank_of_m = 0, rows = 0;
  };
  std::unordered_map<int64_t, uint32_t> rank_of_m;
  std::vector<Group> groups;
  PlaceIndex index;
  std::vector<uint32_t> group_of;
  group_of.reserve(rows.size());
  for (const uint32_t row : rows) {
    const int64_t m = fields(row, m_column), n = fields(row, n_column);
    uint32_t group = group_of.empty() ? 0 : group_of.back();
    if (groups.empty() || groups[group].m != m || groups[group].n != n) {
      group = index.add({m, n}, [&](uint32_t g) { return Coordinates{groups[g].m, groups[g].n}; });
      if (group == groups.size())
        groups.push_back({m, n, rank_of_m.try_emplace(m, uint32_t(rank_of_m.size())).first->second});
    }
    ++groups[group].rows;
    group_of.push_back(group);
  }
  std::vector<uint32_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return groups[a].rank_of_m < groups[b].rank_of_m; });
  std::vector<uint32_t> next(groups.size());  // place of the next row of each group
  uint32_t place = 0;
  for (const uint32_t group : order) next[group] = std::exchange(place, place + groups[group].rows);
  std::vector<uint32_t> ordered(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) ordered[next[group_of[i]]++] = rows[i];
  return ordered;
}

struct UsualEfficiency {
  double bytes, multiplier, efficiency;
};
constexpr std::array<UsualEfficiency, 9> kUsualEfficiencies{{{2, 1, .70},
                                                             {1, 1, .55},
                                                             {9.0 / 16, 1, .45},
                                                             {.5, 1, .45},
                                                             {1, 2, .45},
                                                             {.5, 2, .35},
                                                             {1, 4, .30},
                                                             {.5, 4, .30},
                                                             {9.0 / 16, 4, .30}}};
constexpr double kOtherEfficiency = .45;

}  // namespace

SolParts GemmSol::parts(int64_t m_, int64_t n_, int64_t k_) const {
  const double m = double(m_), n = double(n_), k = double(k_);
  return {2 * m * n * k / flops * 1e3, bytes * (m * n + m * k + n * k) / bandwidth * 1e3};
}

GemmSol gemm_sol(const AicSystem& system, QuantMode quant) {
  return {*peak_flops(system, quant), profile_of(quant).bytes, system.mem_bw};
}

double usual_gemm_efficiency(QuantMode quant) {
  const QuantProfile& profile = profile_of(quant);
  for (const UsualEfficiency& usual : kUsualEfficiencies)
    if (usual.bytes == profile.bytes && usual.multiplier == profile.multiplier) return usual.efficiency;
  return kOtherEfficiency;
}

GemmTable::GemmTable(const Database& database, SharedLayer shared)
    : system_(database.system()),
      rows_(database.rows("gemm", shared)),
      fields_(*rows_, {"gemm_dtype", "m", "n", "k"}),
      index_(database.table_name("gemm"), rows_, {fields_.part(dtype_column)},
             [this](uint32_t row, TableKey& key) {
               key[0] = fields_(row, dtype_column);
               return true;
             }) {
  for (const TableIndex::Group& group : index_.groups())
    if (const auto mode = fields_.mode_of(dtype_column, group.key[0])) modes_.push_back(*mode);
}

TableKey GemmTable::key_of(QuantMode quant) const {
  return {fields_.value_of(dtype_column, name_of(quant)).value_or(-1)};
}

PointList GemmTable::points(QuantMode quant, bool sites) const {
  PointList points(*rows_);
  const TableIndex::Group* group = index_.find(key_of(quant));
  if (group == nullptr) return points;
  const std::vector<uint32_t> ordered = sites ? nested_order(fields_, group->rows) : group->rows;
  points.reserve(ordered.size());
  for (const uint32_t row : ordered) {
    const int64_t m = fields_(row, m_column), n = fields_(row, n_column), k = fields_(row, k_column);
    points.add(sites ? Coordinates{n, k, m} : Coordinates{m, n, k}, row);
  }
  // The table is raised in its own mode, whatever mode asks.
  if (peak_flops(system_, quant)) {
    const GemmSol own = gemm_sol(system_, quant);
    points.raise_to(sites ? over_sites(own) : over_mnk(own));
  }
  return points;
}

std::shared_ptr<const GemmTable::Slice> GemmTable::slice(QuantMode quant) const {
  return slices_.get(int(quant), [&]() -> std::shared_ptr<const Slice> {
    const PointList list = points(quant, true);
    if (list.empty() || !peak_flops(system_, quant)) return nullptr;
    const AxisLayout layout{.axes = 3, .resolver = Resolver::sites, .site_axes = 2, .raise_blends = false};
    return std::make_shared<const Slice>(
        Slice{std::make_unique<const SitesInterpolator>(layout, list.points()),
              over_sites(gemm_sol(system_, quant)), list.rows(), list.numbers()});
  });
}

Ground GemmTable::Slice::ground(const Coordinates& nkm) const {
  return ground_of(sites->estimate({.at = nkm, .sol = sol}), rows, numbers);
}

std::shared_ptr<const UtilisationGrid> GemmTable::utilisation(QuantMode rows_of, QuantMode sol_of) const {
  return utilisations_.get(int(rows_of) * 100 + int(sol_of), [&]() -> std::shared_ptr<const UtilisationGrid> {
    const PointList list = points(rows_of, false);
    auto grid =
        std::make_shared<const UtilisationGrid>(3, list.points(), over_mnk(gemm_sol(system_, sol_of)));
    return grid->empty() ? nullptr : grid;
  });
}

std::string GemmTable::why_missing(QuantMode quant) const { return index_.why_missing(key_of(quant)); }

std::string GemmTable::why_missing_shape(QuantMode quant, const Coordinates& mnk,
                                         std::string_view reason) const {
  return fmt::format("the gemm table has no answer for {} at m={} n={} k={}: {}", name_of(quant), mnk[0],
                     mnk[1], mnk[2], reason);
}

}  // namespace perfatlas::aic
