// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <minizip/unzip.h>

#include <memory>
#include <string>

namespace perfatlas {

/// An open zip file; closed when it goes. For one thread at a time.
class ZipFile {
 public:
  /// Throws Error when it is no zip file or cut short.
  explicit ZipFile(const std::string& path);
  ~ZipFile();
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  unzFile get() const { return handle_; }

 private:
  class Window;
  std::unique_ptr<Window> window_;
  unzFile handle_ = nullptr;
};

}  // namespace perfatlas
