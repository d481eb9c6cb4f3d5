#include "labelprobe/weights/locate.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/hub_cache.h"
#include "labelprobe/files/json.h"

#include "weights/families/family.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

// A place we may not look into counts as empty.
bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
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
  std::vector<fs::path> gguf_files = files::sorted_entries(folder);
  std::erase_if(gguf_files, [](const fs::path& file) { return !is_named_gguf(file); });
  if (gguf_files.size() == 1) {
    return gguf_files[0];
  }
  throw ModelError(
      fmt::format("{}: expected a model folder with config.json, or with one .gguf file, found {}",
                  folder.string(), describe_folder(folder, gguf_files)));
}

bool is_of_hub(const std::string& name_or_path) {
  const files::HubName asked(name_or_path);
  // A revision, too, becomes part of a path.
  return files::is_hub_name(asked.name) && !is_named_gguf(asked.name) &&
         (name_or_path.find('@') == std::string::npos || files::is_hub_name(asked.revision));
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
  if (name_or_path.find("://") != std::string::npos) {
    throw ModelError(
        fmt::format("model '{}': expected a folder, a .gguf file or a hub name, found an address; "
                    "servers are asked by run, classify and assess only",
                    name_or_path));
  }
  if (!is_of_hub(name_or_path)) {
    throw ModelError(
        fmt::format("model '{}': expected a folder with config.json, a .gguf file or a hub name "
                    "like org/model or org/model@revision, found no such file or folder",
                    name_or_path));
  }
  const files::HubName asked(name_or_path);
  const files::HubRepository repository(files::HubRepository::Kind::Model, asked.name);
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
  const files::HubName asked(name_or_path);
  if (is_there(name_or_path) || !is_of_hub(name_or_path) || !asked.revision.empty()) {
    return "";
  }
  const files::HubRepository repository(files::HubRepository::Kind::Model, asked.name);
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
  for (const fs::path& repository : files::sorted_entries(files::hub_cache())) {
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
