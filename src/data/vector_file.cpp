#include "labelprobe/data/vector_file.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <regex>
#include <string_view>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"

#include "data/reading/json_file.h"

namespace labelprobe::data {

namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "both formats are read as they lie");

constexpr std::uint64_t kMaxDims = 1 << 20;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kMaxNpyHeaderBytes = 1024;  // of a plain array 118

enum class NumberType { Float16, Float32, Float64 };

std::size_t n_bytes_of(NumberType type) {
  return type == NumberType::Float16 ? 2 : type == NumberType::Float32 ? 4 : 8;
}

// The numbers of a file before they are read.
struct Matrix {
  NumberType type = NumberType::Float32;
  std::uint64_t n_rows = 0;
  std::uint64_t n_dims = 0;
  std::string_view bytes;
  std::optional<std::vector<std::string>> ids;
};

[[noreturn]] void fail(const fs::path& path,
                       const std::string& expected,
                       const std::string& found) {
  throw DataError(path.string() + ": expected " + expected + ", found " + found);
}

void check_size(const fs::path& path, const Matrix& matrix) {
  if (matrix.n_rows == 0 || matrix.n_dims == 0 || matrix.n_dims > kMaxDims) {
    fail(path, "vectors of 1 to " + std::to_string(kMaxDims) + " numbers",
         std::to_string(matrix.n_rows) + " of " + std::to_string(matrix.n_dims));
  }
  const std::uint64_t row_bytes = matrix.n_dims * n_bytes_of(matrix.type);
  if (matrix.bytes.size() % row_bytes != 0 || matrix.bytes.size() / row_bytes != matrix.n_rows) {
    fail(path,
         std::to_string(matrix.n_rows) + " vectors of " + std::to_string(row_bytes) + " bytes",
         std::to_string(matrix.bytes.size()) + " bytes");
  }
}

template <class Number>
Number read_number(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const auto mantissa = static_cast<float>(bits & 0x3FF);
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0x1F) {
    return sign * (mantissa == 0 ? INFINITY : NAN);
  }
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24)
                               : std::ldexp(mantissa + 1024.0F, exponent - 25));
}

float number_at(const Matrix& matrix, std::size_t i) {
  const char* bytes = matrix.bytes.data() + i * n_bytes_of(matrix.type);
  switch (matrix.type) {
    case NumberType::Float16:
      return half_to_float(read_number<std::uint16_t>(bytes));
    case NumberType::Float32:
      return read_number<float>(bytes);
    case NumberType::Float64:
      return static_cast<float>(read_number<double>(bytes));
  }
  throw InternalError("a type of numbers that number_at does not know");
}

std::uint64_t unsigned_of(const nlohmann::json& number, const fs::path& path) {
  if (!number.is_number_unsigned()) {
    fail(path, "integers from 0 in the header of `vectors`", number.dump());
  }
  return number.get<std::uint64_t>();
}

std::vector<std::string> ids_of_metadata(const std::string& list, const fs::path& path) {
  const nlohmann::json ids = parse_json(path, list);
  std::vector<std::string> texts;
  for (const nlohmann::json& id : ids.is_array() ? ids : nlohmann::json{nullptr}) {
    if (!id.is_string()) {
      fail(path, "a JSON list of texts under `ids` of the metadata", id.dump());
    }
    texts.push_back(id.get<std::string>());
  }
  return texts;
}

Matrix read_safetensors(const fs::path& path, std::string_view file) {
  const auto n_header = file.size() < 8 ? 0 : read_number<std::uint64_t>(file.data());
  if (n_header == 0 || n_header > kMaxHeaderBytes || n_header > file.size() - 8) {
    fail(path, "a safetensors file or one that begins with \\x93NUMPY",
         std::to_string(file.size()) + " bytes that are neither");
  }
  const nlohmann::json header = parse_json(path, file.substr(8, n_header));
  const nlohmann::json& entry = member_of(header, "vectors", path.string());
  Matrix matrix;
  const std::string type = string_at(entry, "dtype", path.string());
  if (type != "F32" && type != "F16") {
    fail(path, "F32 or F16 as the dtype of `vectors`", type);
  }
  matrix.type = type == "F32" ? NumberType::Float32 : NumberType::Float16;
  const nlohmann::json& shape = member_of(entry, "shape", path.string());
  const nlohmann::json& offsets = member_of(entry, "data_offsets", path.string());
  if (!shape.is_array() || shape.size() != 2 || !offsets.is_array() || offsets.size() != 2) {
    fail(path, "`vectors` with a shape [n, d] and two offsets",
         shape.dump() + " and " + offsets.dump());
  }
  matrix.n_rows = unsigned_of(shape[0], path);
  matrix.n_dims = unsigned_of(shape[1], path);
  const std::string_view tensors = file.substr(8 + n_header);
  const std::uint64_t begin = unsigned_of(offsets[0], path);
  const std::uint64_t end = unsigned_of(offsets[1], path);
  if (begin > end || end > tensors.size()) {
    fail(path, "offsets within the " + std::to_string(tensors.size()) + " bytes of tensors",
         offsets.dump() + " (is the file truncated?)");
  }
  matrix.bytes = tensors.substr(begin, end - begin);
  const auto metadata = header.find("__metadata__");
  if (metadata != header.end() && metadata->is_object() && metadata->contains("ids")) {
    matrix.ids = ids_of_metadata(string_at(*metadata, "ids", path.string()), path);
  }
  return matrix;
}

Matrix read_npy(const fs::path& path, std::string_view file) {
  const std::size_t n_prefix = file.size() > 6 && file[6] == 1 ? 10 : 12;
  if (file.size() < n_prefix) {
    fail(path, "a .npy file", std::to_string(file.size()) + " bytes");
  }
  const std::size_t n_header = n_prefix == 10 ? read_number<std::uint16_t>(file.data() + 8)
                                              : read_number<std::uint32_t>(file.data() + 8);
  if (n_header > kMaxNpyHeaderBytes || n_header > file.size() - n_prefix) {
    fail(path, "the header of a plain .npy array", "one of " + std::to_string(n_header) + " bytes");
  }
  const std::string header(file.substr(n_prefix, n_header));
  static const std::regex form(
      R"(\{ *'descr': *'<f([48])', *'fortran_order': *False, *'shape': *\((\d{1,15}), *(\d{1,9}),?\),? *\}\s*)");
  std::smatch match;
  if (!std::regex_match(header, match, form)) {
    fail(path, "a two-dimensional array of little-endian float32 or float64 in C order",
         "the header " + header.substr(0, header.find_last_not_of(" \n") + 1));
  }
  return {match[1] == "4" ? NumberType::Float32 : NumberType::Float64, std::stoull(match[2]),
          std::stoull(match[3]), file.substr(n_prefix + n_header), std::nullopt};
}

std::vector<std::string> read_ids(const fs::path& vectors) {
  const fs::path path = vectors.string() + ".ids.txt";
  if (!fs::exists(path)) {
    fail(vectors, "ids, one a line, in " + path.string(), "no such file");
  }
  const files::MappedFile file(path);
  std::vector<std::string> ids;
  std::string_view rest = file.text();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view id = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (id.ends_with('\r')) {
      id.remove_suffix(1);
    }
    if (id.empty()) {
      throw DataError(path.string() + ":" + std::to_string(ids.size() + 1) +
                      ": expected an id, found an empty line");
    }
    ids.emplace_back(id);
  }
  return ids;
}

}  // namespace

VectorFile VectorFile::load(const fs::path& path) {
  const files::MappedFile file(path);
  Matrix matrix = file.text().starts_with(kNpyMagic) ? read_npy(path, file.text())
                                                     : read_safetensors(path, file.text());
  check_size(path, matrix);
  const std::vector<std::string> ids = matrix.ids ? std::move(*matrix.ids) : read_ids(path);
  if (ids.size() != matrix.n_rows) {
    fail(path, "as many ids as vectors, " + std::to_string(matrix.n_rows),
         std::to_string(ids.size()));
  }
  VectorFile loaded;
  loaded.path_ = path;
  loaded.n_dims_ = static_cast<int>(matrix.n_dims);
  for (std::size_t row = 0; row < ids.size(); ++row) {
    if (!loaded.rows_.emplace(ids[row], row).second) {
      fail(path, "every id once", "'" + ids[row] + "' a second time");
    }
    for (std::size_t i = row * matrix.n_dims; i < (row + 1) * matrix.n_dims; ++i) {
      loaded.vectors_.push_back(number_at(matrix, i));
      if (!std::isfinite(loaded.vectors_.back())) {
        fail(path, "finite numbers", "others in the vector of '" + ids[row] + "'");
      }
    }
  }
  return loaded;
}

std::vector<float> VectorFile::vectors_of(std::span<const Example> examples) const {
  std::vector<float> vectors;
  std::string first_missing;
  std::size_t n_missing = 0;
  for (const Example& example : examples) {
    auto found = rows_.find(example.id());
    if (found == rows_.end()) {
      found = rows_.find(example.example_id);
    }
    if (found == rows_.end()) {
      first_missing = n_missing++ == 0 ? example.id() : first_missing;
      continue;
    }
    const auto n_dims = static_cast<std::size_t>(n_dims_);
    const auto begin = vectors_.begin() + static_cast<std::ptrdiff_t>(found->second * n_dims);
    vectors.insert(vectors.end(), begin, begin + n_dims_);
  }
  if (n_missing > 0) {
    fail(path_, "a vector of each of " + std::to_string(examples.size()) + " items",
         "none of " + std::to_string(n_missing) + " of them, the first '" + first_missing + "'");
  }
  return vectors;
}

}  // namespace labelprobe::data
