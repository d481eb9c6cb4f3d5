#include "labelprobe/files/safetensors.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/ranges.h>

#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"

#include "files/map_file.h"

namespace labelprobe::files {

namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::string_view kMetadata = "__metadata__";

constexpr std::array<std::pair<std::string_view, std::size_t>, 15> kElementTypes = {{
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"F64", 8},
    {"I64", 8},
    {"U64", 8},
    {"I32", 4},
    {"U32", 4},
    {"I16", 2},
    {"U16", 2},
    {"I8", 1},
    {"U8", 1},
    {"BOOL", 1},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
}};

std::vector<std::uint64_t> unsigned_list(const JsonView& list) {
  std::vector<std::uint64_t> numbers;
  const nlohmann::json& held = list.value();
  const bool is_list = held.is_array() && std::all_of(held.begin(), held.end(), [](const auto& n) {
                         return n.is_number_unsigned();
                       });
  if (!is_list) {
    list.fail_expected("a list of integers from 0");
  }
  for (const nlohmann::json& number : held) {
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

SafetensorsTensor read_entry(const std::string& name,
                             const JsonView& entry,
                             std::span<const std::byte> tensor_bytes) {
  SafetensorsTensor tensor{name, entry.at("dtype").string(), {}, {}};
  const std::size_t element_bytes = safetensors_element_bytes(tensor.type);
  if (element_bytes == 0) {
    entry.at("dtype").fail_expected("a type of the safetensors format");
  }
  std::uint64_t n_elements = 1;
  for (const std::uint64_t size : unsigned_list(entry.at("shape"))) {
    if (size > limits::kTensorElements ||
        (size > 0 && n_elements > limits::kTensorElements / size)) {
      entry.at("shape").fail_expected(fmt::format("at most {} elements", limits::kTensorElements));
    }
    n_elements *= size;
    tensor.shape.push_back(static_cast<std::int64_t>(size));
  }
  const JsonView place = entry.at("data_offsets");
  const std::vector<std::uint64_t> offsets = unsigned_list(place);
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > tensor_bytes.size()) {
    place.fail_expected(fmt::format(
        "begin and end within the {} bytes that follow the header (is the file truncated?)",
        tensor_bytes.size()));
  }
  if (offsets[1] - offsets[0] != n_elements * element_bytes) {
    place.fail_expected(fmt::format("{} bytes for {} of shape {}", n_elements * element_bytes,
                                    tensor.type, describe_shape(tensor.shape)),
                        std::to_string(offsets[1] - offsets[0]));
  }
  tensor.bytes = tensor_bytes.subspan(offsets[0], offsets[1] - offsets[0]);
  return tensor;
}

std::uint64_t header_length(const MappedFile& file, ErrorKind error) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() < kLengthBytes) {
    fail(error, fmt::format("{}: expected a safetensors file, found {} bytes", file.path().string(),
                            bytes.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (length > limits::kSafetensorsHeaderBytes && length <= bytes.size() - kLengthBytes) {
    fail(error,
         fmt::format("{}: expected a safetensors header of at most {} bytes, found one of {}",
                     file.path().string(), limits::kSafetensorsHeaderBytes, length));
  }
  if (length > bytes.size() - kLengthBytes) {
    fail(error, fmt::format("{}: expected a safetensors header within the file's {} bytes, found "
                            "one of {} bytes (truncated, or not safetensors)",
                            file.path().string(), bytes.size(), length));
  }
  return length;
}

void check_tiling(const std::vector<SafetensorsTensor>& tensors,
                  const std::string& path,
                  std::span<const std::byte> tensor_bytes,
                  ErrorKind error) {
  const std::byte* expected = tensor_bytes.data();
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.bytes.data() != expected) {
      fail(error, fmt::format("{}: tensor {}: expected at byte {} behind the header, where the one "
                              "before it ends, found at {}",
                              path, tensor.name, expected - tensor_bytes.data(),
                              tensor.bytes.data() - tensor_bytes.data()));
    }
    expected += tensor.bytes.size();
  }
  const auto n_described = static_cast<std::size_t>(expected - tensor_bytes.data());
  if (n_described != tensor_bytes.size()) {
    fail(error, fmt::format("{}: expected {} bytes behind the header, found {}", path, n_described,
                            tensor_bytes.size()));
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, ErrorKind error) {
  SafetensorsFile result{map_file(path, error, MappedFile::SmallFiles::Map)};
  const std::uint64_t length = header_length(result.file_, error);
  result.header_ = result.file_.bytes().first(kLengthBytes + length);
  const std::span<const std::byte> tensor_bytes =
      result.file_.bytes().subspan(kLengthBytes + length);
  const JsonView header = parse_json(result.file_.text().substr(kLengthBytes, length),
                                     {path.string() + ": header", error});
  if (!header.value().is_object()) {
    header.fail_expected("a JSON object");
  }
  for (const auto& [name, entry] : header.members()) {
    if (name != kMetadata) {
      result.tensors_.push_back(read_entry(name, entry, tensor_bytes));
      continue;
    }
    for (const auto& [key, text] : entry.members()) {
      result.metadata_[key] = text.string();
    }
  }
  std::stable_sort(result.tensors_.begin(), result.tensors_.end(),
                   [](const SafetensorsTensor& a, const SafetensorsTensor& b) {
                     return std::pair(a.bytes.data(), a.bytes.size()) <
                            std::pair(b.bytes.data(), b.bytes.size());
                   });
  check_tiling(result.tensors_, path.string(), tensor_bytes, error);
  return result;
}

std::size_t safetensors_element_bytes(std::string_view type) {
  for (const auto& [name, n_bytes] : kElementTypes) {
    if (name == type) {
      return n_bytes;
    }
  }
  return 0;
}

std::string describe_shape(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace labelprobe::files
