#include "labelprobe/files/hub_cache.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"

namespace labelprobe::files {
namespace {

namespace fs = std::filesystem;

// The value of an environment variable with a leading ~ resolved; empty if unset or empty.
fs::path environment_path(const char* variable) {
  const char* held = std::getenv(variable);
  const std::string text = held == nullptr ? "" : held;
  if (text == "~" || text.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    return std::string(home == nullptr ? "" : home).append(text, 1);
  }
  return text;
}

std::string describe_main(const std::string& commit) {
  return commit.empty() ? "refs/main does not say which is current"
                        : fmt::format("refs/main names {}, which is not there", commit);
}

}  // namespace

fs::path hub_cache() {
  for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const fs::path folder = environment_path(variable); !folder.empty()) {
      return folder;
    }
  }
  if (const fs::path home = environment_path("HF_HOME"); !home.empty()) {
    return home / "hub";
  }
  if (const fs::path caches = environment_path("XDG_CACHE_HOME"); !caches.empty()) {
    return caches / "huggingface" / "hub";
  }
  return environment_path("HOME") / ".cache" / "huggingface" / "hub";
}

bool is_hub_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.front() != '.' && part.front() != '-';
  };
  const std::size_t slash = name.find('/');
  return std::all_of(name.begin(), name.end(), is_allowed) && is_part(name.substr(0, slash)) &&
         (slash == std::string_view::npos ||
          (is_part(name.substr(slash + 1)) && name.find('/', slash + 1) == std::string_view::npos));
}

HubName::HubName(const std::string& text)
    : name(text.substr(0, text.find('@'))),
      revision(text.find('@') == text.npos ? "" : text.substr(text.find('@') + 1)) {}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

HubRepository::HubRepository(Kind kind, const std::string& name)
    : kind_(kind),
      name_(name),
      folder_(hub_cache() / fmt::format("{}s--{}",
                                        kind == Kind::Model ? "model" : "dataset",
                                        replace_all(name, "/", "--"))) {
  for (const fs::path& snapshot : sorted_entries(folder_ / "snapshots")) {
    commits_.push_back(snapshot.filename().string());
  }
}

fs::path HubRepository::snapshot(const std::string& commit) const {
  return folder_ / "snapshots" / commit;
}

// The commit that refs/<ref> names; empty if there is none.
std::string HubRepository::named_by(const std::string& ref) const {
  std::ifstream file(folder_ / "refs" / ref);
  std::string commit;
  if (!file || !std::getline(file, commit)) {
    return "";
  }
  commit.erase(commit.find_last_not_of(" \t\r") + 1);
  // The text becomes part of a path.
  const bool is_plain = fs::path(commit).filename() == commit && commit != "." && commit != "..";
  return is_plain ? commit : "";
}

bool HubRepository::has(const std::string& commit) const {
  return std::find(commits_.begin(), commits_.end(), commit) != commits_.end();
}

// What messages call it.
std::string HubRepository::what() const {
  return fmt::format("{} '{}'", kind_ == Kind::Model ? "model" : "data set", name_);
}

std::string HubRepository::fetching_command(const std::string& revision) const {
  return fmt::format("hf download {}{}{}", kind_ == Kind::Model ? "" : "--repo-type dataset ",
                     name_, revision.empty() ? "" : " --revision " + revision);
}

std::string HubRepository::main() const {
  const std::string commit = named_by("main");
  if (has(commit)) {
    return commit;
  }
  if (commits_.size() == 1) {
    return commits_[0];
  }
  fail(
      kind_ == Kind::Model ? ErrorKind::Model : ErrorKind::Data,
      fmt::format("{}: the Hugging Face cache holds several revisions of it ({}), and "
                  "{}; name one of them, as in {}@{}, or run `{}`",
                  what(), list(), describe_main(commit), name_, commits_[0], fetching_command("")));
}

std::string HubRepository::find(const std::string& revision) const {
  if (const std::string commit = named_by(revision); has(commit)) {
    return commit;
  }
  std::vector<std::string> found;
  for (const std::string& commit : commits_) {
    if (commit == revision) {
      return commit;
    }
    if (!revision.empty() && commit.starts_with(revision)) {
      found.push_back(commit);
    }
  }
  if (found.size() == 1) {
    return found[0];
  }
  fail(kind_ == Kind::Model ? ErrorKind::Model : ErrorKind::Data,
       fmt::format("{}: revision '{}' is not in the Hugging Face cache, which holds {}; "
                   "download it with `{}`",
                   what(), revision, list(), fetching_command(revision)));
}

std::string HubRepository::warn_of(const std::string& commit) const {
  const std::string main_commit = named_by("main");
  return commit == main_commit ? ""
                               : fmt::format("{}: {}; the only revision there is taken, {}", what(),
                                             describe_main(main_commit), commit);
}

// "abc (main), def".
std::string HubRepository::list() const {
  std::string text;
  for (const std::string& commit : commits_) {
    text.append(text.empty() ? "" : ", ").append(commit);
    for (const fs::path& ref : sorted_entries(folder_ / "refs")) {
      const std::string name = ref.filename().string();
      text.append(named_by(name) == commit ? fmt::format(" ({})", name) : "");
    }
  }
  return text;
}

}  // namespace labelprobe::files
