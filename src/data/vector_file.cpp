#include "labelprobe/data/vector_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/npy.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::data {

namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "both formats are read as they lie");

enum class NumberType { Float16, Float32, Float64 };

std::size_t n_bytes_of(NumberType type) {
  return type == NumberType::Float16 ? 2 : type == NumberType::Float32 ? 4 : 8;
}

// The numbers of a file before they are read.
struct Matrix {
  NumberType type = NumberType::Float32;
  std::uint64_t n_rows = 0;
  std::uint64_t n_dims = 0;
  std::span<const std::byte> bytes;
  std::optional<std::vector<std::string>> ids;
};

[[noreturn]] void fail(const fs::path& path,
                       const std::string& expected,
                       const std::string& found) {
  throw DataError(fmt::format("{}: expected {}, found {}", path.string(), expected, found));
}

void check_size(const fs::path& path, const Matrix& matrix) {
  if (matrix.n_rows == 0 || matrix.n_dims == 0 || matrix.n_dims > limits::kVectorNumbers) {
    fail(path, fmt::format("vectors of 1 to {} numbers", limits::kVectorNumbers),
         fmt::format("{} of {}", matrix.n_rows, matrix.n_dims));
  }
  const std::uint64_t row_bytes = matrix.n_dims * n_bytes_of(matrix.type);
  if (matrix.bytes.size() % row_bytes != 0 || matrix.bytes.size() / row_bytes != matrix.n_rows) {
    fail(path, fmt::format("{} vectors of {} bytes", matrix.n_rows, row_bytes),
         fmt::format("{} bytes", matrix.bytes.size()));
  }
}

template <class Number>
Number read_number(const std::byte* bytes) {
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
  const std::byte* bytes = matrix.bytes.data() + i * n_bytes_of(matrix.type);
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

std::vector<std::string> ids_of_metadata(const std::string& list, const fs::path& path) {
  const files::JsonView ids = files::parse_json(list, {path.string() + ": ids of the metadata"});
  std::vector<std::string> texts;
  for (const files::JsonView& id : ids.items()) {
    texts.push_back(id.string());
  }
  return texts;
}

// The matrix lies in the file.
Matrix read_safetensors(const files::SafetensorsFile& file) {
  const auto found = std::find_if(file.tensors().begin(), file.tensors().end(),
                                  [](const auto& tensor) { return tensor.name == "vectors"; });
  if (found == file.tensors().end()) {
    fail(file.path(), "a tensor called `vectors`", "none");
  }
  if (found->type != "F32" && found->type != "F16") {
    fail(file.path(), "F32 or F16 as the dtype of `vectors`", found->type);
  }
  if (found->shape.size() != 2) {
    fail(file.path(), "`vectors` with a shape [n, d]", files::describe_shape(found->shape));
  }
  Matrix matrix;
  matrix.type = found->type == "F32" ? NumberType::Float32 : NumberType::Float16;
  matrix.n_rows = static_cast<std::uint64_t>(found->shape[0]);
  matrix.n_dims = static_cast<std::uint64_t>(found->shape[1]);
  matrix.bytes = found->bytes;
  if (const auto ids = file.metadata().find("ids"); ids != file.metadata().end()) {
    matrix.ids = ids_of_metadata(ids->second, file.path());
  }
  return matrix;
}

Matrix npy_matrix(const files::MappedFile& file) {
  const files::NpyMatrix read = files::read_npy(file);
  return {read.n_number_bytes == 4 ? NumberType::Float32 : NumberType::Float64, read.n_rows,
          read.n_columns, read.bytes, std::nullopt};
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
      throw DataError(
          fmt::format("{}:{}: expected an id, found an empty line", path.string(), ids.size() + 1));
    }
    ids.emplace_back(id);
  }
  return ids;
}

}  // namespace

VectorFile VectorFile::load(const fs::path& path) {
  const files::MappedFile file(path);
  std::optional<files::SafetensorsFile> safetensors;
  if (!files::is_npy(file.text())) {
    safetensors = files::SafetensorsFile::open(path, ErrorKind::Data);
  }
  Matrix matrix = safetensors ? read_safetensors(*safetensors) : npy_matrix(file);
  check_size(path, matrix);
  const std::vector<std::string> ids = matrix.ids ? std::move(*matrix.ids) : read_ids(path);
  if (ids.size() != matrix.n_rows) {
    fail(path, fmt::format("as many ids as vectors, {}", matrix.n_rows),
         std::to_string(ids.size()));
  }
  VectorFile loaded;
  loaded.path_ = path;
  loaded.n_dims_ = static_cast<int>(matrix.n_dims);
  for (std::size_t row = 0; row < ids.size(); ++row) {
    if (!loaded.rows_.emplace(ids[row], row).second) {
      fail(path, "every id once", fmt::format("'{}' a second time", ids[row]));
    }
    for (std::size_t i = row * matrix.n_dims; i < (row + 1) * matrix.n_dims; ++i) {
      loaded.vectors_.push_back(number_at(matrix, i));
      if (!std::isfinite(loaded.vectors_.back())) {
        fail(path, "finite numbers", fmt::format("others in the vector of '{}'", ids[row]));
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
    fail(path_, fmt::format("a vector of each of {} items", examples.size()),
         fmt::format("none of {} of them, the first '{}'", n_missing, first_missing));
  }
  return vectors;
}

}  // namespace labelprobe::data
