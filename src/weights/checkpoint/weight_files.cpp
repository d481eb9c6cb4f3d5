#include "weights/checkpoint/weight_files.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"

#include "weights/checkpoint/content_print.h"
#include "weights/checkpoint/read_ahead.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSampleBytes = 4096;

// "model.norm.weight", or "model.norm.weight (output_norm.weight in the file)".
std::string describe_name(const StoredTensor& tensor) {
  return tensor.name == tensor.file_name
             ? tensor.name
             : fmt::format("{} ({} in the file)", tensor.name, tensor.file_name);
}

}  // namespace

WeightFiles::WeightFiles(const fs::path& folder, const Naming& naming)
    : path_(folder), safetensors_(open_safetensors(folder)) {
  for (const files::SafetensorsFile& file : safetensors_) {
    for (StoredTensor& tensor : stored_tensors(file)) {
      if (naming) {
        tensor.name = naming(tensor.file_name);
      }
      if (!tensor.name.empty()) {
        add(std::move(tensor));
      }
    }
  }
}

WeightFiles::WeightFiles(files::GgufFile file, std::vector<StoredTensor> tensors)
    : path_(file.path()), gguf_(std::move(file)) {
  for (StoredTensor& tensor : tensors) {
    add(std::move(tensor));
  }
}

void WeightFiles::add(StoredTensor tensor) {
  const std::string name = tensor.name;
  const auto [position, is_new] = tensors_.try_emplace(name, std::move(tensor));
  if (!is_new) {
    throw ModelError(fmt::format(
        "{}: tensor {} is there twice; expected every tensor once in all files of the model",
        position->second.file.string(), name));
  }
}

void WeightFiles::replace(const std::vector<std::string>& names,
                          std::vector<StoredTensor> tensors) {
  for (const std::string& name : names) tensors_.erase(name);
  for (StoredTensor& tensor : tensors) add(std::move(tensor));
}

void WeightFiles::rename(std::string_view name, const std::string& new_name) {
  const auto found = tensors_.find(name);
  LABELPROBE_CHECK(found != tensors_.end() && !tensors_.contains(new_name));
  auto node = tensors_.extract(found);
  node.key() = node.mapped().name = new_name;
  tensors_.insert(std::move(node));
}

const StoredTensor& WeightFiles::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw ModelError(fmt::format("{}: tensor {} is missing", path_.string(), name));
  }
  return found->second;
}

std::string WeightFiles::sample() const {
  Fingerprint print;
  if (gguf_) {
    print.add(gguf_->header_bytes());
    std::error_code error;  // the size of a file that went away meanwhile is no reason to stop
    print.add(fmt::to_string(fs::file_size(path_, error)));
  } else {
    print.add(files::MappedFile(path_ / "config.json").text());
  }
  for (const files::SafetensorsFile& file : safetensors_) {
    print.add(file.header_bytes());
    print.add(fmt::to_string(file.bytes().size()));
  }
  for (const auto& [name, tensor] : tensors_) {
    print.add(name);
    expect_samples(tensor.bytes);
    print.add(tensor.bytes.first(std::min(kSampleBytes, tensor.bytes.size())));
  }
  return print.hex();
}

std::string WeightFiles::fingerprint() const {
  std::vector<fs::path> files;
  std::vector<std::span<const std::byte>> parts;
  for (const files::SafetensorsFile& file : safetensors_) {
    files.push_back(file.path());
    parts.push_back(file.bytes());
  }
  if (gguf_) {
    files.push_back(path_);
    for (const files::GgufTensor& tensor : gguf_->tensors()) {
      parts.push_back(tensor.bytes);
    }
  }
  const std::string of_sample = sample();
  return labelprobe::fingerprint(of_sample + PrintMemory().content_print(parts, files, of_sample));
}

void check_form(const StoredTensor& tensor, std::span<const std::int64_t> shape) {
  const std::string place =
      fmt::format("{}: tensor {}", tensor.file.string(), describe_name(tensor));
  if (!std::equal(tensor.shape.begin(), tensor.shape.end(), shape.begin(), shape.end())) {
    throw ModelError(fmt::format("{}: expected shape {}, found {}", place,
                                 files::describe_shape(shape),
                                 files::describe_shape(tensor.shape)));
  }
  if (!tensor.type) {
    throw ModelError(fmt::format(
        "{}: expected a type of {}; found {}{}", place, files::known_ggml_types(), tensor.type_name,
        tensor.type_name.starts_with("F8")
            ? ", numbers of 8 bits, whose scales are the program's that wrote them; "
              "save the model in bfloat16 with it, or with transformers "
              "(dequantize(), then save_pretrained())"
            : ""));
  }
}

}  // namespace labelprobe::weights
