// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLongestLine = size_t{64} << 20;
constexpr int kFirstSpareFd = 10;  // above every descriptor that the child gets at a fixed number

/// A copy of `fd` whose number cannot collide with the child's fixed descriptors.
FileDescriptor spare(const FileDescriptor& fd) {
  FileDescriptor copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstSpareFd));
  if (!copy) throw Error(io_error_text("open", "a file descriptor", errno));
  return copy;
}

/// What the child needs between vfork and exec, prepared by the parent because the child may not allocate.
struct ChildSetup {
  FileDescriptor input, log, requests, answers;
  std::vector<char*> arguments;
  pid_t parent = 0;
  sigset_t no_signals;
};

/// Runs in the child, in the parent's memory: system calls only. Returns the errno of what failed.
int become_child(const ChildSetup& setup) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != setup.parent) return ECHILD;  // the parent died before prctl
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  if (::dup2(setup.input.get(), 0) < 0 || ::dup2(setup.log.get(), 1) < 0 || ::dup2(setup.log.get(), 2) < 0 ||
      ::dup2(setup.requests.get(), kChildRequestFd) < 0 || ::dup2(setup.answers.get(), kChildAnswerFd) < 0)
    return errno;
  ::close_range(kChildAnswerFd + 1, ~0U, 0);  // also what other libraries opened without close-on-exec
  ::sigprocmask(SIG_SETMASK, &setup.no_signals, nullptr);
  ::execvp(setup.arguments[0], setup.arguments.data());
  return errno;
}

/// Starts the child. vfork copies no page tables, so the size of this process does not matter.
pid_t start(const ChildSetup& setup, int& error_number) {
  sigset_t all, previous;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &previous);  // no handler of ours may run in the child
  volatile int failure = 0;
  const pid_t pid = ::vfork();
  if (pid == 0) {
    failure = become_child(setup);
    ::_exit(127);
  }
  const int vfork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  error_number = pid < 0 ? vfork_error : failure;
  return pid;
}

std::chrono::milliseconds left(Clock::time_point deadline) {
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(rest, std::chrono::milliseconds{0});
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
  pollfd entry{fd, events, 0};
  const int ready = ::poll(&entry, 1, int(std::min<int64_t>(left(deadline).count(), 1 << 30)));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

}  // namespace

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string ExitStatus::text() const {
  if (signal) return signal_name(*signal);
  return fmt::format("exit code {}", code.value_or(-1));
}

ChildProcess ChildProcess::spawn(const ChildOptions& options) {
  PERFATLAS_ASSERT(!options.command.empty());
  int request_pair[2], answer_pipe[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, request_pair) != 0)
    throw Error(io_error_text("open", "a socket pair", errno));
  ChildProcess child;
  child.requests_ = FileDescriptor(request_pair[0]);
  const FileDescriptor request_end(request_pair[1]);
  if (::pipe2(answer_pipe, O_CLOEXEC) != 0) throw Error(io_error_text("open", "a pipe", errno));
  child.answers_ = FileDescriptor(answer_pipe[0]);
  const FileDescriptor answer_end(answer_pipe[1]);
  for (const int fd : {child.requests_.get(), child.answers_.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);

  const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const FileDescriptor log(::open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!log) throw Error(io_error_text("open", options.log_path, errno));
  ChildSetup setup{spare(null), spare(log), spare(request_end), spare(answer_end), {}, ::getpid(), {}};
  ::sigemptyset(&setup.no_signals);
  for (const std::string& word : options.command) setup.arguments.push_back(const_cast<char*>(word.c_str()));
  setup.arguments.push_back(nullptr);
  int error_number = 0;
  child.pid_ = start(setup, error_number);
  if (error_number != 0) {
    if (child.pid_ > 0) child.wait({});
    child.pid_ = -1;
    throw Error(io_error_text("start", options.command[0], error_number));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    requests_ = std::move(other.requests_);
    answers_ = std::move(other.answers_);
    buffer_ = std::move(other.buffer_);
    consumed_ = std::exchange(other.consumed_, 0);
    scanned_ = std::exchange(other.scanned_, 0);
    status_ = std::exchange(other.status_, std::nullopt);
  }
  return *this;
}

ChildProcess::~ChildProcess() { end(); }

void ChildProcess::end() {
  if (pid_ < 0 || status_) return;
  kill();
  wait({});
}

bool ChildProcess::send_line(std::string_view line, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  std::string bytes(line);
  bytes += '\n';
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t count = ::send(requests_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      rest.remove_prefix(size_t(count));
    } else if (errno == EAGAIN) {
      if (left(deadline).count() == 0 || !wait_for(requests_.get(), POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

ChildProcess::Input ChildProcess::receive() {
  char block[1 << 16];
  while (true) {
    const ssize_t count = ::read(answers_.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Input::more;
    if (count == 0) return Input::closed;
    buffer_.append(block, size_t(count));
    if (buffer_.size() - scanned_ > kLongestLine && buffer_.find('\n', scanned_) == buffer_.npos)
      return Input::too_long;
    if (size_t(count) < sizeof block) return Input::more;
  }
}

std::optional<std::string> ChildProcess::next_line() {
  const size_t end = buffer_.find('\n', std::max(scanned_, consumed_));
  if (end == buffer_.npos) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(consumed_, end - consumed_);
  consumed_ = scanned_ = end + 1;
  return line;
}

std::optional<std::string> ChildProcess::wait_line(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    if (auto line = next_line()) return line;
    if (left(deadline).count() == 0 || !wait_for(answers_.get(), POLLIN, deadline)) return std::nullopt;
    if (receive() != Input::more) return next_line();
  }
}

void ChildProcess::kill() {
  if (pid_ > 0 && !status_) ::kill(-pid_, SIGKILL);
}

std::optional<ExitStatus> ChildProcess::try_wait() {
  if (status_ || pid_ < 0) return status_;
  siginfo_t info{};
  if (::waitid(P_PID, id_t(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
    return std::nullopt;
  ::kill(-pid_, SIGKILL);  // whatever it started; its own entry still reserves the group's number
  int status = 0;
  ::waitpid(pid_, &status, 0);
  status_.emplace();
  if (WIFSIGNALED(status))
    status_->signal = WTERMSIG(status);
  else
    status_->code = WEXITSTATUS(status);
  return status_;
}

ExitStatus ChildProcess::wait(std::chrono::milliseconds grace) {
  const auto deadline = Clock::now() + grace;
  while (true) {
    if (const auto status = try_wait()) return *status;
    if (Clock::now() >= deadline) kill();
    std::this_thread::sleep_for(std::chrono::microseconds{200});
  }
}

std::optional<double> ChildProcess::resident_bytes() const {
  const FileDescriptor fd(::open(fmt::format("/proc/{}/statm", pid_).c_str(), O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  if (!fd || ::read(fd.get(), text, sizeof text - 1) <= 0) return std::nullopt;
  long total = 0, resident = 0;
  if (std::sscanf(text, "%ld %ld", &total, &resident) != 2) return std::nullopt;
  return double(resident) * double(::sysconf(_SC_PAGESIZE));
}

InterruptSignals::InterruptSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, &previous_);
  fd_ = FileDescriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) throw Error(io_error_text("open", "a signal descriptor", errno));
}

InterruptSignals::~InterruptSignals() {
  count();  // a second Ctrl-C during the orderly end must not kill what comes after
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

int InterruptSignals::count() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) ++count_;
  return count_;
}

}  // namespace perfatlas
