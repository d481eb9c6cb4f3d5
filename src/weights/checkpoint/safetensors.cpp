#include "weights/checkpoint/safetensors.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

// The types that are read; a tensor of another one may be there.
constexpr std::array<std::pair<std::string_view, files::GgmlType>, 4> kReadTypes = {{
    {"F32", files::GgmlType::F32},
    {"F16", files::GgmlType::F16},
    {"BF16", files::GgmlType::BF16},
    {"F64", files::GgmlType::F64},
}};

// What a folder without safetensors holds instead, and what to do about it.
std::string describe_other_weights(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry->path().extension() == ".gguf") {
      return fmt::format("found {}; to use it, name that file", name);
    }
    if (name.starts_with("adapter_model")) {
      return fmt::format(
          "found {}, the weights of an adapter (LoRA); merge them into the model with peft "
          "(merge_and_unload(), then save_pretrained())",
          name);
    }
    if (name.starts_with("pytorch_model")) {
      return fmt::format(
          "found {0}, a Python pickle, which is not read; convert it with python3 -c \"from "
          "transformers import AutoModelForCausalLM as M; M.from_pretrained('{1}', "
          "dtype='auto').save_pretrained('{1}')\"",
          name, folder.string());
    }
  }
  return "found neither; is the download complete?";
}

constexpr const char* kSingleName = "model.safetensors";
constexpr const char* kIndexName = "model.safetensors.index.json";

// Which file holds which tensor.
std::map<std::string, std::string> load_weight_map(const fs::path& path) {
  const files::JsonView index = files::load_json_object(path, ErrorKind::Model);
  std::map<std::string, std::string> files;
  for (const auto& [tensor_name, file] : index.at("weight_map").members()) {
    const std::string& file_name = file.string();
    if (file_name.empty() || fs::path(file_name).filename() != file_name || file_name == "." ||
        file_name == "..") {
      file.fail_expected("the name of a file in the same folder");
    }
    files[tensor_name] = file_name;
  }
  return files;
}

std::vector<files::SafetensorsFile> open_shards(const fs::path& folder) {
  const std::map<std::string, std::string> weight_map = load_weight_map(folder / kIndexName);
  std::set<std::string> file_names;
  for (const auto& [tensor_name, file_name] : weight_map) {
    file_names.insert(file_name);
  }
  std::vector<files::SafetensorsFile> shards;
  std::set<std::pair<std::string, std::string>> present;
  for (const std::string& file_name : file_names) {
    if (!fs::exists(folder / file_name)) {
      throw ModelError(fmt::format("{}: named by {}, but not there; is the download complete?",
                                   (folder / file_name).string(), kIndexName));
    }
    shards.push_back(files::SafetensorsFile::open(folder / file_name, ErrorKind::Model));
    for (const files::SafetensorsTensor& tensor : shards.back().tensors()) {
      present.emplace(tensor.name, file_name);
    }
  }
  for (const auto& [tensor_name, file_name] : weight_map) {
    if (!present.contains({tensor_name, file_name})) {
      throw ModelError(fmt::format("{}: tensor {}: expected in {}, which does not hold it",
                                   (folder / kIndexName).string(), tensor_name, file_name));
    }
  }
  return shards;
}

}  // namespace

std::vector<files::SafetensorsFile> open_safetensors(const fs::path& folder) {
  if (!fs::exists(folder / kSingleName) && fs::exists(folder / kIndexName)) {
    return open_shards(folder);
  }
  if (!fs::exists(folder / kSingleName)) {
    throw ModelError(fmt::format("{}: expected weights in {} or {}, {}", folder.string(),
                                 kSingleName, kIndexName, describe_other_weights(folder)));
  }
  std::vector<files::SafetensorsFile> single;
  single.push_back(files::SafetensorsFile::open(folder / kSingleName, ErrorKind::Model));
  return single;
}

std::vector<StoredTensor> stored_tensors(const files::SafetensorsFile& file) {
  std::vector<StoredTensor> tensors;
  for (const files::SafetensorsTensor& read : file.tensors()) {
    StoredTensor& tensor = tensors.emplace_back();
    tensor.name = tensor.file_name = read.name;
    tensor.file = file.path();
    tensor.type_name = read.type;
    for (const auto& [name, type] : kReadTypes) {
      if (name == read.type) tensor.type = type;
    }
    tensor.shape = read.shape;
    tensor.bytes = read.bytes;
  }
  return tensors;
}

}  // namespace labelprobe::weights
