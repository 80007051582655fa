// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/replay/replay.h"

namespace perfatlas {
namespace {

constexpr double kWidth = 560, kHeight = 340, kLeft = 56, kRight = 130, kTop = 34, kBottom = 44;
constexpr std::array<std::string_view, 3> kColours{"#1a6faf", "#c2571a", "#4f8a3c"};

/// Logarithmic scales from data to the drawing.
struct Scales {
  double x_low, x_high, y_low, y_high;
  double x(double share) const {
    return kLeft + (kWidth - kLeft - kRight) * std::log(share / x_low) / std::log(x_high / x_low);
  }
  double y(double error) const {
    return kHeight - kBottom -
           (kHeight - kTop - kBottom) * std::log(std::max(error, y_low) / y_low) / std::log(y_high / y_low);
  }
};

Scales scales_of(const ReplayResult& r) {
  Scales s{1, 0, 1e9, 0};
  const auto see = [&](double error) {
    s.y_low = std::min(s.y_low, error);
    s.y_high = std::max(s.y_high, error);
  };
  for (const ReplayCurve& curve : r.curves)
    for (const ReplayPoint& p : curve.points) {
      s.x_low = std::min(s.x_low, p.share);
      s.x_high = std::max(s.x_high, p.share);
      see(p.error.p90);
    }
  see(r.full_resolver.p90);
  see(r.full_kriged.p90);
  s.y_low = std::max(1e-3, s.y_low) / 1.2;
  s.y_high *= 1.2;
  if (s.x_high <= s.x_low) s.x_high = 2 * s.x_low;
  return s;
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, text);
}

std::string grid_lines(const ReplayResult& r, const Scales& s) {
  std::string svg;
  for (const ReplayPoint& p : r.curves.front().points) {
    const double x = s.x(p.share);
    svg += fmt::format("<path d=\"M{:.1f} {}V{}\" class=\"g\"/>\n", x, kTop, kHeight - kBottom);
    svg += text_at(x, kHeight - kBottom + 16, "middle", fmt::format("{:.3g}%", 100 * p.share));
  }
  for (const double error : {.01, .02, .05, .1, .2, .5, 1.0, 2.0}) {
    if (error < s.y_low || error > s.y_high) continue;
    svg += fmt::format("<path d=\"M{} {:.1f}H{}\" class=\"g\"/>\n", kLeft, s.y(error), kWidth - kRight);
    svg += text_at(kLeft - 6, s.y(error) + 4, "end", fmt::format("{:.0f}%", 100 * error));
  }
  return svg;
}

std::string level(const Scales& s, double error, std::string_view name, std::string_view dashes) {
  return fmt::format("<path d=\"M{} {:.1f}H{}\" stroke=\"#555\" stroke-dasharray=\"{}\"/>\n", kLeft,
                     s.y(error), kWidth - kRight, dashes) +
         text_at(kWidth - kRight + 6, s.y(error) + 4, "start", name);
}

}  // namespace

std::string replay_svg(const ReplayResult& r) {
  const Scales s = scales_of(r);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\">\n"
      "<style>text{{font:12px sans-serif;fill:#333}}path{{fill:none;stroke-width:1.5}}.g{{stroke:#ddd;"
      "stroke-width:1}}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      kWidth, kHeight);
  svg += text_at(kLeft, 18, "start",
                 fmt::format("{}, {}: p90 error over the share of points measured", r.family, r.system));
  svg += grid_lines(r, s);
  svg += level(s, r.full_resolver.p90, "full, resolver", "6 3");
  svg += level(s, r.full_kriged.p90, "full, kriging", "2 3");
  for (size_t c = 0; c < r.curves.size(); ++c) {
    const auto colour = kColours[c % kColours.size()];
    std::string path;
    for (const ReplayPoint& p : r.curves[c].points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", s.x(p.share), s.y(p.error.p90));
    svg += fmt::format("<path d=\"{}\" stroke=\"{}\"/>\n", path, colour);
    for (const ReplayPoint& p : r.curves[c].points)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"/>\n", s.x(p.share),
                         s.y(p.error.p90), colour);
    const double legend_y = kTop + 14 + 16 * double(c);
    svg +=
        fmt::format("<path d=\"M{} {}h16\" stroke=\"{}\"/>\n", kWidth - kRight - 110, legend_y - 4, colour);
    svg += text_at(kWidth - kRight - 88, legend_y, "start", r.curves[c].strategy);
  }
  return svg + "</svg>\n";
}

}  // namespace perfatlas
