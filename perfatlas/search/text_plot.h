// SPDX-License-Identifier: Apache-2.0
// A scatter plot for terminals.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace perfatlas {

struct PlotSeries {
  std::string name;
  char mark = '*';
  std::vector<std::pair<double, double>> points;  // x, y
};

struct TextPlot {
  std::string title, x_label, y_label;
  int columns = 73;  // of the area inside the frame
  int rows = 17;
  std::vector<PlotSeries> series;  // later ones are drawn over earlier ones
};

/// Lines ended by "\n"; both axes start at 0 and end at a round number. Without a finite point: one line that says so.
std::string text_plot(const TextPlot& plot);

}  // namespace perfatlas
