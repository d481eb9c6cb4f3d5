#include "labelprobe/weights/locate.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/json.h"

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

// "found 2 GGUF files; ...": what a folder holds in place of a model.
std::string describe_folder(const fs::path& folder, const std::vector<fs::path>& gguf_files) {
  if (!gguf_files.empty()) {
    std::string found = fmt::format("{} GGUF files; name one of them:", gguf_files.size());
    for (const fs::path& file : gguf_files) {
      found.append(" ").append(file.filename().string());
    }
    return found;
  }
  if (is_there(folder / "adapter_config.json")) {
    const files::JsonView adapter =
        files::load_json_object(folder / "adapter_config.json", ErrorKind::Model);
    const files::JsonView base = adapter.find("base_model_name_or_path");
    return fmt::format(
        "adapter_config.json: an adapter (LoRA), which is no whole model; merge it into {} with "
        "peft (merge_and_unload(), then save_pretrained()) and name that folder",
        base.value().is_string() ? base.string() : "its base model");
  }
  return "neither";
}

bool is_named_gguf(const fs::path& file) {
  const std::string ending = file.extension().string();
  return ending == ".gguf" || ending == ".GGUF";
}

// What in `folder` is the model: the folder, or its only GGUF file.
fs::path model_in(const fs::path& folder) {
  if (is_there(folder / "config.json")) {
    return folder;
  }
  std::vector<fs::path> gguf_files = sorted_entries(folder);
  std::erase_if(gguf_files, [](const fs::path& file) { return !is_named_gguf(file); });
  if (gguf_files.size() == 1) {
    return gguf_files[0];
  }
  throw ModelError(
      fmt::format("{}: expected a model folder with config.json, or with one .gguf file, found {}",
                  folder.string(), describe_folder(folder, gguf_files)));
}

// "org/model@revision" in its parts; the revision is empty where none is asked for.
struct HubName {
  explicit HubName(const std::string& text)
      : name(text.substr(0, text.find('@'))),
        revision(text.find('@') == text.npos ? "" : text.substr(text.find('@') + 1)) {}
  std::string name;
  std::string revision;
};

// One model in the cache of huggingface_hub.
class Repository {
 public:
  explicit Repository(const std::string& name)
      : name_(name),
        folder_(cache_folder() / fmt::format("models--{}", replace_all(name, "/", "--"))) {
    for (const fs::path& snapshot : sorted_entries(folder_ / "snapshots")) {
      commits_.push_back(snapshot.filename().string());
    }
  }

  const fs::path& folder() const { return folder_; }
  bool is_empty() const { return commits_.empty(); }
  fs::path snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }

  // The commit that refs/<ref> names; empty if there is none.
  std::string named_by(const std::string& ref) const {
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

  bool has(const std::string& commit) const {
    return std::find(commits_.begin(), commits_.end(), commit) != commits_.end();
  }

  // The commit of refs/main, or the only one there is. Throws ModelError saying which there are.
  std::string main() const {
    const std::string commit = named_by("main");
    if (has(commit)) {
      return commit;
    }
    if (commits_.size() == 1) {
      return commits_[0];
    }
    throw ModelError(
        fmt::format("model '{}': the Hugging Face cache holds several revisions of it ({}), and "
                    "{}; name one of them, as in {}@{}, or run `hf download {}`",
                    name_, list(), describe_main(commit), name_, commits_[0], name_));
  }

  // The commit of a branch, a tag, or the beginning of a commit. Throws as above.
  std::string find(const std::string& revision) const {
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
    throw ModelError(
        fmt::format("model '{}': revision '{}' is not in the Hugging Face cache, which holds {}; "
                    "download it with `hf download {} --revision {}`",
                    name_, revision, list(), name_, revision));
  }

  // A sentence where `commit` is not what refs/main names; else empty.
  std::string warn_of(const std::string& commit) const {
    const std::string main_commit = named_by("main");
    return commit == main_commit
               ? ""
               : fmt::format("model '{}': {}; the only revision there is taken, {}", name_,
                             describe_main(main_commit), commit);
  }

 private:
  static std::string describe_main(const std::string& commit) {
    return commit.empty() ? "refs/main does not say which is current"
                          : fmt::format("refs/main names {}, which is not there", commit);
  }

  // "abc (main), def".
  std::string list() const {
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

  std::string name_;
  fs::path folder_;
  std::vector<std::string> commits_;  // sorted
};

bool is_of_hub(const std::string& name_or_path) {
  const HubName asked(name_or_path);
  // A revision, too, becomes part of a path.
  return is_hub_name(asked.name) && !is_named_gguf(asked.name) &&
         (name_or_path.find('@') == std::string::npos || is_hub_name(asked.revision));
}

}  // namespace

fs::path locate(const std::string& name_or_path) {
  const fs::path given(name_or_path);
  if (!name_or_path.empty() && is_folder(given)) {
    return model_in(given);
  }
  if (!name_or_path.empty() && is_there(given)) {
    if (!is_named_gguf(given) && !files::is_gguf(given)) {
      throw ModelError(fmt::format(
          "{}: expected a model folder or a .gguf file, found another kind of file", name_or_path));
    }
    return given;
  }
  if (!is_of_hub(name_or_path)) {
    throw ModelError(
        fmt::format("model '{}': expected a folder with config.json, a .gguf file or a hub name "
                    "like org/model or org/model@revision, found no such file or folder",
                    name_or_path));
  }
  const HubName asked(name_or_path);
  const Repository repository(asked.name);
  if (repository.is_empty()) {
    const std::string what =
        asked.name + (asked.revision.empty() ? "" : fmt::format(" --revision {}", asked.revision));
    throw ModelError(fmt::format(
        "model '{}': no such folder, and not in the Hugging Face cache (looked for {}); download "
        "it with `hf download {}` (older installations: `huggingface-cli download {}`)",
        name_or_path, repository.folder().string(), what, what));
  }
  return model_in(repository.snapshot(asked.revision.empty() ? repository.main()
                                                             : repository.find(asked.revision)));
}

std::string warn_of_revision(const std::string& name_or_path) {
  const HubName asked(name_or_path);
  if (is_there(name_or_path) || !is_of_hub(name_or_path) || !asked.revision.empty()) {
    return "";
  }
  const Repository repository(asked.name);
  return repository.is_empty() ? "" : repository.warn_of(repository.main());
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
