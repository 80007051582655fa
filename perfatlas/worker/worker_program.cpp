// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/worker_program.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr int kDone = 0, kFailure = 1, kUsage = 2;

std::string about_text(const WorkerProgram& program) {
  return fmt::format(
      "{0} Started by perfatlas collect, bench, check and probe; reads one JSON request per line and writes "
      "one JSON "
      "answer per line, until its input ends. To try it by hand:\n\n"
      "  echo '{{\"id\":1,\"request\":\"hello\"}}' | {1}\n"
      "  echo '{{\"id\":2,\"request\":\"sample\",\"case\":\"{2}\"}}' | {1}",
      program.about, program.name, program.example_case);
}

int complain(const WorkerProgram& program, const std::exception& error, int code) {
  fmt::print(stderr, "{}: {}\n", program.name, error.what());
  return code;
}

}  // namespace

int run_worker_program(const WorkerProgram& program, int argc, char** argv) {
  CLI::App app(about_text(program), program.name);
  std::string device = program.default_device, fds;
  app.add_option("--devices", device, program.devices_help);
  app.add_option("--protocol-fds", fds,
                 "IN,OUT: open descriptors for requests and answers (default: the standard streams)");
  for (const WorkerOption& option : program.options)
    app.add_option(option.flag, *option.value, option.help)
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  app.set_version_flag("--version", PERFATLAS_VERSION);
  try {
    app.parse(argc, argv);
    if (fds.empty() && ::isatty(STDIN_FILENO)) {
      fmt::print("{}", app.help());
      return kUsage;
    }
    ProtocolChannel channel(fds.empty() ? ProtocolChannel::take_standard_streams() : parse_protocol_fds(fds));
    return program.serve(device, channel);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const UsageError& error) {
    return complain(program, error, kUsage);
  } catch (const std::exception& error) {
    return complain(program, error, kFailure);
  }
}

}  // namespace perfatlas
