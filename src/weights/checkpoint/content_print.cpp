#include "weights/checkpoint/content_print.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>

#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/disk.h"

#include "weights/checkpoint/read_ahead.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = std::size_t{32} << 20;
constexpr unsigned kMostThreads = 8;
constexpr std::size_t kPrintLength = 32;  // hexadecimal digits
// A file system may give two changes in so short a time the same time.
constexpr std::time_t kUncertainSeconds = 2;

std::string print_of(std::span<const std::byte> bytes) {
  Fingerprint print;
  print.add(bytes);
  return print.hex();
}

std::vector<std::span<const std::byte>> pieces_of(
    std::span<const std::span<const std::byte>> parts) {
  std::vector<std::span<const std::byte>> pieces;
  for (std::span<const std::byte> part : parts) {
    while (!part.empty()) {
      const std::size_t n = std::min(kPieceBytes, part.size());
      pieces.push_back(part.first(n));
      part = part.subspan(n);
    }
  }
  return pieces;
}

// Pages of a file may be dropped and read again; what came through a pipe is there once.
enum class Pages { Keep, Forget };

std::string read_all(std::span<const std::span<const std::byte>> parts, Pages afterwards) {
  const std::vector<std::span<const std::byte>> pieces = pieces_of(parts);
  std::vector<std::string> prints(pieces.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) {
      if (afterwards == Pages::Forget) {
        fetch_pages(pieces[i]);
      }
      prints[i] = print_of(pieces[i]);
      if (afterwards == Pages::Forget) {
        forget_pages(pieces[i]);
      }
    }
  };
  {
    const auto n_useful = static_cast<unsigned>(std::min<std::size_t>(pieces.size(), kMostThreads));
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < std::min(n_useful, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back(work);
    }
    work();
  }
  Fingerprint print;
  for (const std::string& piece : prints) {
    print.add(piece);
  }
  return print.hex();
}

// Whether the files have stood still long enough for their times to tell.
bool are_settled(std::span<const fs::path> files) {
  const std::time_t now = std::time(nullptr);
  return std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 && status.st_ctim.tv_sec + kUncertainSeconds < now;
  });
}

// Prints by key, of this process.
class Known {
 public:
  std::optional<std::string> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = prints_.find(key);
    return found == prints_.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& key, const std::string& print) {
    const std::lock_guard lock(mutex_);
    prints_[key] = print;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> prints_;
};

Known& known() {
  static Known prints;
  return prints;
}

std::optional<std::string> read_print(const fs::path& file) {
  std::ifstream stream(file);
  std::string print;
  const bool is_one = stream && std::getline(stream, print) && print.size() == kPrintLength &&
                      print.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_one ? std::optional(print) : std::nullopt;
}

// A cache that cannot be written to costs time alone.
void write_print(const fs::path& file, const std::string& print) {
  try {
    files::Disk disk;
    disk.make_folders(file.parent_path());
    disk.replace(file, fmt::format("{}\n", print));
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace

std::string identity_of(std::span<const fs::path> files) {
  Fingerprint print;
  for (const fs::path& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
      continue;  // gone meanwhile, but mapped: no file is like it
    }
    std::error_code error;
    print.add(fs::canonical(file, error).string());
    for (const auto number :
         {static_cast<long long>(status.st_dev), static_cast<long long>(status.st_ino),
          static_cast<long long>(status.st_size), static_cast<long long>(status.st_mtim.tv_sec),
          static_cast<long long>(status.st_mtim.tv_nsec),
          static_cast<long long>(status.st_ctim.tv_sec),
          static_cast<long long>(status.st_ctim.tv_nsec)}) {
      print.add(fmt::to_string(number));
    }
  }
  return print.hex();
}

PrintMemory::PrintMemory(fs::path folder, std::size_t least_bytes)
    : folder_(std::move(folder)), least_bytes_(least_bytes) {}

fs::path PrintMemory::cache_folder() {
  const auto variable = [](const char* name) {
    const char* held = std::getenv(name);
    return fs::path(held == nullptr ? "" : held);
  };
  fs::path caches = variable("XDG_CACHE_HOME");
  if (caches.empty() && !variable("HOME").empty()) {
    caches = variable("HOME") / ".cache";
  }
  return caches.empty() ? fs::path() : caches / "labelprobe" / "fingerprints";
}

std::string PrintMemory::content_print(std::span<const std::span<const std::byte>> parts,
                                       std::span<const fs::path> files,
                                       const std::string& sample) const {
  std::size_t n_bytes = 0;
  for (const std::span<const std::byte> part : parts) {
    n_bytes += part.size();
  }
  const bool is_large = n_bytes >= least_bytes_ && !folder_.empty();
  const bool is_settled = are_settled(files);
  const std::string key = labelprobe::fingerprint(identity_of(files) + sample);
  std::optional<std::string> print;
  if (is_settled) {
    print = known().find(key);
    if (!print && is_large) {
      print = read_print(folder_ / key);
    }
  }
  if (print) {
    return *print;
  }
  const bool are_mapped = std::all_of(files.begin(), files.end(), [](const fs::path& file) {
    std::error_code ignored;
    return fs::is_regular_file(file, ignored);
  });
  print = read_all(parts, are_mapped ? Pages::Forget : Pages::Keep);
  // Files that were changed while they were read are read again the next time.
  if (is_settled && labelprobe::fingerprint(identity_of(files) + sample) == key) {
    known().keep(key, *print);
    if (is_large) {
      write_print(folder_ / key, *print);
    }
  }
  return *print;
}

}  // namespace labelprobe::weights
