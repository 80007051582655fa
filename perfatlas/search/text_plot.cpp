// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/text_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace perfatlas {
namespace {

constexpr int kRowsPerLabel = 4;
constexpr int kColumnsPerLabel = 18;

/// The least 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten that is not below `value`.
double round_end(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (value <= factor * power * (1 + 1e-12)) return factor * power;
  return 10 * power;
}

bool drawable(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second) && point.first >= 0 && point.second >= 0;
}

std::string label(double value) { return fmt::format("{:.4g}", value); }

struct Frame {
  double x_end = 0, y_end = 0;
  std::vector<std::string> cells;  // top row first
};

Frame draw(const TextPlot& plot) {
  Frame frame;
  for (const PlotSeries& series : plot.series)
    for (const auto& point : series.points)
      if (drawable(point)) {
        frame.x_end = std::max(frame.x_end, point.first);
        frame.y_end = std::max(frame.y_end, point.second);
      }
  frame.x_end = round_end(frame.x_end);
  frame.y_end = round_end(frame.y_end);
  frame.cells.assign(size_t(plot.rows), std::string(size_t(plot.columns), ' '));
  for (const PlotSeries& series : plot.series)
    for (const auto& point : series.points)
      if (drawable(point)) {
        const int column = int(std::lround(point.first / frame.x_end * (plot.columns - 1)));
        const int row = int(std::lround(point.second / frame.y_end * (plot.rows - 1)));
        frame.cells[size_t(plot.rows - 1 - row)][size_t(column)] = series.mark;
      }
  return frame;
}

std::string x_axis(const TextPlot& plot, double x_end, size_t margin) {
  std::string ticks(margin, ' ');
  std::string rule = std::string(margin, ' ') + "+";
  for (int column = 0; column < plot.columns; ++column) {
    const bool tick = column % kColumnsPerLabel == 0;
    rule += tick ? '+' : '-';
    if (!tick) continue;
    ticks.resize(std::max(ticks.size(), margin + 1 + size_t(column)), ' ');
    ticks += label(x_end * column / (plot.columns - 1));
  }
  return rule + "+\n" + ticks + "  " + plot.x_label + "\n";
}

}  // namespace

std::string text_plot(const TextPlot& plot) {
  bool any = false;
  for (const PlotSeries& series : plot.series)
    any |= std::any_of(series.points.begin(), series.points.end(), drawable);
  if (!any) return plot.title + ": nothing to plot\n";
  const Frame frame = draw(plot);
  std::string legend;
  for (const PlotSeries& series : plot.series)
    if (!series.points.empty()) legend += fmt::format("  {} {}", series.mark, series.name);
  const size_t margin = label(frame.y_end).size() + 5;
  std::string text = fmt::format("{}\n{} ({} )\n", plot.title, plot.y_label, legend);
  for (int row = 0; row < plot.rows; ++row) {
    const int from_bottom = plot.rows - 1 - row;
    const bool labelled = from_bottom % kRowsPerLabel == 0;
    const std::string y = labelled ? label(frame.y_end * from_bottom / (plot.rows - 1)) : "";
    text += fmt::format("{:>{}}|{}|\n", y, margin, frame.cells[size_t(row)]);
  }
  return text + x_axis(plot, frame.x_end, margin);
}

}  // namespace perfatlas
