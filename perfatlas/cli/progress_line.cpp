// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

size_t terminal_width(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

}  // namespace

ProgressLine::ProgressLine(std::FILE* out) : out_(out), terminal_(isatty(fileno(out)) != 0) {}

void ProgressLine::on_progress(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  if (now - last_ < interval) return;
  last_ = now;
  if (terminal_) {
    put(fmt::format("\r\x1b[K{}", progress_text(progress, terminal_width(out_) - 1)));
    drawn_ = true;
  } else {
    put(progress_text(progress, 200) + "\n");
  }
}

void ProgressLine::say(const std::string& line) {
  clear();
  put(line + "\n");
}

void ProgressLine::finish() { clear(); }

void ProgressLine::clear() {
  if (drawn_) put("\r\x1b[K");
  drawn_ = false;
}

void ProgressLine::put(const std::string& text) {
  (void)std::fputs(text.c_str(), out_);
  (void)std::fflush(out_);
}

std::string progress_text(const Progress& p, size_t width) {
  const double share = p.total == 0 ? 1 : double(p.done) / double(p.total);
  std::string text = fmt::format("[{}/{} {:.0f}%] {} failed, {}", p.done, p.total, 100 * share, p.failures,
                                 p.eta_s ? "ETA " + format_duration(*p.eta_s) : "ETA unknown");
  if (!p.current_case.empty()) text += ", " + p.current_case;
  if (text.size() > width) text = text.substr(0, width - 3) + "...";
  return text;
}

}  // namespace perfatlas
