#include "weights/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "labelprobe/core/error.h"

#include "weights/checkpoint/json_file.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;

struct ElementType {
  const char* name;
  std::uint64_t n_bytes;
  std::optional<files::GgmlType> type;  // nothing: of the format, but not read
};

constexpr std::array kElementTypes = {
    ElementType{"F32", 4, files::GgmlType::F32},
    ElementType{"F16", 2, files::GgmlType::F16},
    ElementType{"BF16", 2, files::GgmlType::BF16},
    ElementType{"F64", 8, std::nullopt},
    ElementType{"I64", 8, std::nullopt},
    ElementType{"U64", 8, std::nullopt},
    ElementType{"I32", 4, std::nullopt},
    ElementType{"U32", 4, std::nullopt},
    ElementType{"I16", 2, std::nullopt},
    ElementType{"U16", 2, std::nullopt},
    ElementType{"I8", 1, std::nullopt},
    ElementType{"U8", 1, std::nullopt},
    ElementType{"BOOL", 1, std::nullopt},
    ElementType{"F8_E4M3", 1, std::nullopt},
    ElementType{"F8_E5M2", 1, std::nullopt},
};

const ElementType& element_type(const JsonReader& entry) {
  const std::string& name = entry.string("dtype");
  for (const ElementType& type : kElementTypes) {
    if (name == type.name) {
      return type;
    }
  }
  entry.fail("dtype", "a type of the safetensors format");
}

std::vector<std::uint64_t> unsigned_list(const JsonReader& entry, std::string_view key) {
  std::vector<std::uint64_t> numbers;
  const nlohmann::json& held = entry.at(key);
  const bool is_list = held.is_array() && std::all_of(held.begin(), held.end(), [](const auto& n) {
                         return n.is_number_unsigned();
                       });
  if (!is_list) {
    entry.fail(key, "a list of integers from 0");
  }
  for (const nlohmann::json& number : held) {
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

StoredTensor read_entry(const std::string& name,
                        const JsonReader& entry,
                        const fs::path& path,
                        std::span<const std::byte> tensor_bytes) {
  const ElementType& type = element_type(entry);
  StoredTensor tensor;
  tensor.name = tensor.file_name = name;
  tensor.file = path;
  tensor.type = type.type;
  tensor.type_name = type.name;
  std::uint64_t n_elements = 1;
  for (const std::uint64_t size : unsigned_list(entry, "shape")) {
    if (size > kMaxElements || (size > 0 && n_elements > kMaxElements / size)) {
      entry.fail("shape", "at most " + std::to_string(kMaxElements) + " elements");
    }
    n_elements *= size;
    tensor.shape.push_back(static_cast<std::int64_t>(size));
  }
  const std::vector<std::uint64_t> offsets = unsigned_list(entry, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > tensor_bytes.size()) {
    entry.fail("data_offsets", "begin and end within the " + std::to_string(tensor_bytes.size()) +
                                   " bytes that follow the header (is the file truncated?)");
  }
  if (offsets[1] - offsets[0] != n_elements * type.n_bytes) {
    entry.fail("data_offsets",
               std::to_string(n_elements * type.n_bytes) + " bytes for " + type.name +
                   " of shape " + describe_shape(tensor.shape),
               std::to_string(offsets[1] - offsets[0]));
  }
  tensor.bytes = tensor_bytes.subspan(offsets[0], offsets[1] - offsets[0]);
  return tensor;
}

std::uint64_t header_length(const files::MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() < kLengthBytes) {
    throw ModelError(file.path().string() + ": expected a safetensors file, found " +
                     std::to_string(bytes.size()) + " bytes");
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    throw ModelError(file.path().string() + ": expected a safetensors header within the file's " +
                     std::to_string(bytes.size()) + " bytes, found one of " +
                     std::to_string(length) + " bytes (truncated, or not safetensors)");
  }
  return length;
}

void check_tiling(const std::vector<StoredTensor>& tensors,
                  const fs::path& path,
                  std::span<const std::byte> tensor_bytes) {
  const std::byte* expected = tensor_bytes.data();
  for (const StoredTensor& tensor : tensors) {
    if (tensor.bytes.data() != expected) {
      throw ModelError(path.string() + ": tensor " + tensor.name + ": expected at byte " +
                       std::to_string(expected - tensor_bytes.data()) +
                       " behind the header, where the one before it ends, found at " +
                       std::to_string(tensor.bytes.data() - tensor_bytes.data()));
    }
    expected += tensor.bytes.size();
  }
  const auto n_described = static_cast<std::size_t>(expected - tensor_bytes.data());
  if (n_described != tensor_bytes.size()) {
    throw ModelError(path.string() + ": expected " + std::to_string(n_described) +
                     " bytes behind the header, found " + std::to_string(tensor_bytes.size()));
  }
}

// What a folder without safetensors holds instead, and what to do about it.
std::string describe_other_weights(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry->path().extension() == ".gguf") {
      return "found " + name + "; to use it, name that file";
    }
    if (name.starts_with("pytorch_model")) {
      return "found " + name +
             ", a Python pickle, which is not read; convert it with transformers "
             "(save_pretrained(..., safe_serialization=True))";
    }
  }
  return "found neither; is the download complete?";
}

constexpr const char* kSingleName = "model.safetensors";
constexpr const char* kIndexName = "model.safetensors.index.json";

// Which file holds which tensor.
std::map<std::string, std::string> load_weight_map(const fs::path& path) {
  const nlohmann::json index = load_object(path);
  const JsonReader reader(index, path.string());
  const JsonReader weight_map = reader.object("weight_map");
  std::map<std::string, std::string> files;
  for (const auto& [tensor_name, file] : index["weight_map"].items()) {
    const std::string& file_name = weight_map.string(tensor_name);
    if (file_name.empty() || fs::path(file_name).filename() != file_name || file_name == "." ||
        file_name == "..") {
      weight_map.fail(tensor_name, "the name of a file in the same folder");
    }
    files[tensor_name] = file_name;
  }
  return files;
}

std::vector<SafetensorsFile> open_shards(const fs::path& folder) {
  const std::map<std::string, std::string> weight_map = load_weight_map(folder / kIndexName);
  std::set<std::string> file_names;
  for (const auto& [tensor_name, file_name] : weight_map) {
    file_names.insert(file_name);
  }
  std::vector<SafetensorsFile> files;
  std::set<std::pair<std::string, std::string>> present;
  for (const std::string& file_name : file_names) {
    if (!fs::exists(folder / file_name)) {
      throw ModelError((folder / file_name).string() + ": named by " + kIndexName +
                       ", but not there; is the download complete?");
    }
    files.push_back(SafetensorsFile::open(folder / file_name));
    for (const StoredTensor& tensor : files.back().tensors()) {
      present.emplace(tensor.name, file_name);
    }
  }
  for (const auto& [tensor_name, file_name] : weight_map) {
    if (!present.contains({tensor_name, file_name})) {
      throw ModelError((folder / kIndexName).string() + ": tensor " + tensor_name +
                       ": expected in " + file_name + ", which does not hold it");
    }
  }
  return files;
}

}  // namespace

std::string describe_shape(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

SafetensorsFile SafetensorsFile::open(const fs::path& path) {
  try {
    SafetensorsFile result{files::MappedFile(path)};
    const std::uint64_t length = header_length(result.file_);
    result.header_ = result.file_.bytes().first(kLengthBytes + length);
    const std::span<const std::byte> tensor_bytes =
        result.file_.bytes().subspan(kLengthBytes + length);
    const nlohmann::json header =
        parse_object(result.file_.text().substr(kLengthBytes, length), path.string() + ": header");
    const JsonReader reader(header, path.string() + ": header");
    for (const auto& [name, entry] : header.items()) {
      const JsonReader entry_reader = reader.object(name);
      if (name != "__metadata__") {
        result.tensors_.push_back(read_entry(name, entry_reader, path, tensor_bytes));
      }
    }
    std::stable_sort(result.tensors_.begin(), result.tensors_.end(),
                     [](const StoredTensor& a, const StoredTensor& b) {
                       return std::pair(a.bytes.data(), a.bytes.size()) <
                              std::pair(b.bytes.data(), b.bytes.size());
                     });
    check_tiling(result.tensors_, path, tensor_bytes);
    return result;
  } catch (const DataError& error) {
    throw ModelError(error.what());
  }
}

std::vector<SafetensorsFile> open_safetensors(const fs::path& folder) {
  std::vector<SafetensorsFile> files;
  if (fs::exists(folder / kSingleName)) {
    files.push_back(SafetensorsFile::open(folder / kSingleName));
  } else if (fs::exists(folder / kIndexName)) {
    files = open_shards(folder);
  } else {
    throw ModelError(folder.string() + ": expected weights in " + kSingleName + " or " +
                     kIndexName + ", " + describe_other_weights(folder));
  }
  return files;
}

}  // namespace labelprobe::weights
