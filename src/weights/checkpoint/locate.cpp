#include "labelprobe/weights/locate.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "weights/families/family.h"

namespace labelprobe::weights {
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

// A place we may not look into counts as empty.
bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// In the order in which huggingface_hub looks.
fs::path cache_folder() {
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

// "model" or "org/model" in the characters the hub allows.
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

// What in `folder` is the model: the folder, or its only .gguf file.
fs::path model_in(const fs::path& folder) {
  if (is_there(folder / "config.json")) {
    return folder;
  }
  std::vector<fs::path> gguf_files = sorted_entries(folder);
  std::erase_if(gguf_files, [](const fs::path& file) { return file.extension() != ".gguf"; });
  if (gguf_files.size() == 1) {
    return gguf_files[0];
  }
  std::string found = "neither";
  if (!gguf_files.empty()) {
    found = std::to_string(gguf_files.size()) + " GGUF files; name one of them:";
    for (const fs::path& file : gguf_files) {
      found.append(" ").append(file.filename().string());
    }
  }
  throw ModelError(folder.string() +
                   ": expected a model folder with config.json, or with one .gguf file, found " +
                   found);
}

// The commit that refs/main names, else the only one there is; empty if there is none.
std::string commit_in(const fs::path& repository) {
  std::ifstream file(repository / "refs" / "main");
  std::string commit;
  if (file && std::getline(file, commit)) {
    commit.erase(commit.find_last_not_of(" \t\r") + 1);
    // The text becomes part of a path.
    const bool is_plain = fs::path(commit).filename() == commit && commit != "." && commit != "..";
    if (is_plain && is_folder(repository / "snapshots" / commit)) {
      return commit;
    }
  }
  const std::vector<fs::path> snapshots = sorted_entries(repository / "snapshots");
  return snapshots.size() == 1 ? snapshots[0].filename().string() : "";
}

}  // namespace

fs::path locate(const std::string& name_or_path) {
  const fs::path given(name_or_path);
  if (!name_or_path.empty() && is_folder(given)) {
    return model_in(given);
  }
  if (!name_or_path.empty() && is_there(given)) {
    if (given.extension() != ".gguf") {
      throw ModelError(name_or_path +
                       ": expected a model folder or a .gguf file, found another kind of file");
    }
    return given;
  }
  if (!is_hub_name(name_or_path) || given.extension() == ".gguf") {
    throw ModelError("model '" + name_or_path +
                     "': expected a folder with config.json, a .gguf file or a hub name like "
                     "org/model, found no such file or folder");
  }
  const fs::path repository = cache_folder() / ("models--" + replace_all(name_or_path, "/", "--"));
  const std::string commit = commit_in(repository);
  if (commit.empty()) {
    throw ModelError("model '" + name_or_path + "': no such folder, and not in the Hugging Face " +
                     "cache (looked for " + repository.string() +
                     "); download it with `hf download " + name_or_path +
                     "` (older installations: `huggingface-cli download " + name_or_path + "`)");
  }
  return model_in(repository / "snapshots" / commit);
}

std::vector<ModelFamily> model_families() {
  std::vector<ModelFamily> shown;
  for (const Family& family : families()) {
    shown.push_back({family.name, family.architecture});
  }
  return shown;
}

std::vector<CachedModel> cached_models() {
  constexpr std::string_view kPrefix = "models--";
  std::vector<CachedModel> models;
  for (const fs::path& repository : sorted_entries(cache_folder())) {
    const std::string folder = repository.filename().string();
    if (!folder.starts_with(kPrefix)) {
      continue;
    }
    const std::string name = replace_all(folder.substr(kPrefix.size()), "--", "/");
    try {
      models.push_back({name, locate(name)});
    } catch (const ModelError&) {
      continue;  // half downloaded, or a repository that holds no model
    }
  }
  return models;
}

}  // namespace labelprobe::weights
