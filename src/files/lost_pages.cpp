#include "labelprobe/files/lost_pages.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>

#include <unistd.h>

#include "files/mappings.h"

namespace labelprobe::files {

namespace {

constexpr std::size_t kMostMappings = 1000;
constexpr std::size_t kMostPathBytes = 256;

// A handler of a signal reads these: nothing of them is allocated, and `begin` is set last.
struct Mapping {
  std::atomic<const std::byte*> begin{nullptr};
  std::size_t n_bytes = 0;
  ErrorKind kind = ErrorKind::Data;
  std::array<char, kMostPathBytes> path{};
};
std::array<Mapping, kMostMappings> mappings;
std::mutex changing;
LostPagesCodes exit_codes;

void say(std::string_view text) {
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

extern "C" void end_with_a_word(int signal, siginfo_t* about, void*) {
  const auto* at = static_cast<const std::byte*>(about->si_addr);
  for (const Mapping& mapping : mappings) {
    const std::byte* begin = mapping.begin;
    if (begin == nullptr || at < begin || at >= begin + mapping.n_bytes) continue;
    say("\nlabelprobe: ");
    say({mapping.path.data(), ::strnlen(mapping.path.data(), mapping.path.size())});
    say(": was made shorter, or could not be read, while it was in use; expected it to stay as it "
        "is. "
        "Give the same command again when it is whole\n");
    ::_exit(mapping.kind == ErrorKind::Model    ? exit_codes.model
            : mapping.kind == ErrorKind::Config ? exit_codes.config
                                                : exit_codes.data);
  }
  // None of ours: the same access again ends the process.
  std::signal(signal, SIG_DFL);
}

}  // namespace

void note_mapping(std::span<const std::byte> bytes, std::string_view path) {
  const std::lock_guard lock(changing);
  const auto free = std::find_if(mappings.begin(), mappings.end(),
                                 [](const Mapping& mapping) { return mapping.begin == nullptr; });
  if (free == mappings.end()) return;
  free->n_bytes = bytes.size();
  free->kind = ErrorKind::Data;
  free->path.fill('\0');
  // A path that is too long keeps its end, which has the file's name.
  path.remove_prefix(path.size() - std::min(path.size(), free->path.size()));
  std::copy(path.begin(), path.end(), free->path.begin());
  free->begin = bytes.data();
}

void note_kind(const std::byte* begin, ErrorKind kind) {
  const std::lock_guard lock(changing);
  for (Mapping& mapping : mappings) {
    if (begin != nullptr && mapping.begin == begin) mapping.kind = kind;
  }
}

void forget_mapping(const std::byte* begin) {
  const std::lock_guard lock(changing);
  for (Mapping& mapping : mappings) {
    if (mapping.begin == begin) {
      mapping.begin = nullptr;
      return;
    }
  }
}

void report_lost_pages(const LostPagesCodes& codes) {
  exit_codes = codes;
  struct sigaction action {};
  action.sa_sigaction = end_with_a_word;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace labelprobe::files
