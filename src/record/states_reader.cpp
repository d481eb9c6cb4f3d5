#include "labelprobe/record/states_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "labelprobe hidden states 1";
constexpr std::string_view kPublishedName = "last_hidden_state.pt";

using files::SafetensorsFile;
using files::SafetensorsTensor;

std::string text_of(const SafetensorsFile& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  return found == file.metadata().end() ? "" : found->second;
}

const SafetensorsTensor& tensor_of(const SafetensorsFile& file,
                                   const std::string& name,
                                   const std::string& type,
                                   std::size_t n_dimensions) {
  for (const SafetensorsTensor& tensor : file.tensors()) {
    if (tensor.name != name) continue;
    if (tensor.type == type && tensor.shape.size() == n_dimensions) return tensor;
    throw DataError(fmt::format("{}: tensor '{}': expected {} with {} dimensions, found {} {}",
                                file.path().string(), name, type, n_dimensions, tensor.type,
                                files::describe_shape(tensor.shape)));
  }
  throw DataError(
      fmt::format("{}: expected a tensor '{}', found none", file.path().string(), name));
}

std::vector<std::int64_t> integers_of(const SafetensorsFile& file,
                                      const std::string& name,
                                      std::int64_t n_expected) {
  const SafetensorsTensor& tensor = tensor_of(file, name, "I64", 1);
  if (tensor.shape[0] != n_expected) {
    throw DataError(fmt::format("{}: tensor '{}': expected {} numbers, as 'states' has, found {}",
                                file.path().string(), name, n_expected, tensor.shape[0]));
  }
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n_expected));
  if (!numbers.empty()) std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  return numbers;
}

std::vector<std::string> ids_of(const SafetensorsFile& file) {
  const std::string place = file.path().string() + ": metadata 'ids'";
  std::vector<std::string> ids;
  for (const files::JsonView& id : files::parse_json(text_of(file, "ids"), {place}).items()) {
    ids.push_back(id.string());
  }
  return ids;
}

SafetensorsFile open_states(const fs::path& path) {
  if (!fs::exists(path)) {
    const bool is_published = fs::exists(path.parent_path() / kPublishedName);
    throw DataError(fmt::format(
        "{}: no such file; expected the hidden states of a run{}", path.string(),
        is_published
            ? fmt::format(" ({} beside it is a pickle, which can run code: convert it with "
                          "scripts/convert_hidden_states.py)",
                          kPublishedName)
            : ""));
  }
  SafetensorsFile file = SafetensorsFile::open(path, ErrorKind::Data);
  if (text_of(file, "format") != kFormat) {
    throw DataError(fmt::format("{}: metadata 'format': expected '{}', found '{}'", path.string(),
                                kFormat, text_of(file, "format")));
  }
  return file;
}

std::size_t place_of(std::int64_t layer,
                     const std::vector<std::int64_t>& layers,
                     const SafetensorsFile& file) {
  const auto found = std::find(layers.begin(), layers.end(), layer);
  if (found == layers.end()) {
    throw ConfigError(fmt::format("{}: no states of layer {} (there are: {})", file.path().string(),
                                  layer, fmt::join(layers, ", ")));
  }
  return static_cast<std::size_t>(found - layers.begin());
}

// The row of this step of every item; nothing where it has none.
std::vector<std::optional<std::size_t>> rows_of(const SafetensorsFile& file,
                                                std::int64_t n_rows,
                                                const std::vector<std::string>& ids,
                                                std::int64_t step) {
  const std::vector<std::int64_t> items = integers_of(file, "item", n_rows);
  const std::vector<std::int64_t> steps = integers_of(file, "step", n_rows);
  std::vector<std::optional<std::size_t>> rows(ids.size());
  for (std::size_t row = 0; row < items.size(); ++row) {
    if (items[row] < 0 || items[row] >= static_cast<std::int64_t>(ids.size())) {
      throw DataError(fmt::format("{}: row {}: expected an item below {}, found {}",
                                  file.path().string(), row, ids.size(), items[row]));
    }
    if (steps[row] != step) continue;
    std::optional<std::size_t>& of_item = rows[static_cast<std::size_t>(items[row])];
    if (of_item) {
      throw DataError(fmt::format("{}: rows {} and {}: expected one row of step {} of item '{}'",
                                  file.path().string(), *of_item, row, step,
                                  ids[static_cast<std::size_t>(items[row])]));
    }
    of_item = row;
  }
  return rows;
}

}  // namespace

fs::path states_file(const fs::path& folder, int experiment) {
  return folder / fmt::format("hidden_states_{}.safetensors", experiment);
}

ItemStates read_states(const fs::path& path, std::int64_t step, std::int64_t layer) {
  const SafetensorsFile file = open_states(path);
  const SafetensorsTensor& states = tensor_of(file, "states", "F32", 3);
  const std::size_t place = place_of(layer, integers_of(file, "layer", states.shape[1]), file);
  const std::vector<std::string> ids = ids_of(file);
  if (std::set<std::string>(ids.begin(), ids.end()).size() != ids.size()) {
    throw DataError(path.string() + ": metadata 'ids': expected each id once");
  }
  const auto rows = rows_of(file, states.shape[0], ids, step);
  const auto n_features = static_cast<std::size_t>(states.shape[2]);
  const auto n_layers = static_cast<std::size_t>(states.shape[1]);
  ItemStates found{{}, states.shape[2], {}};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!rows[i]) continue;
    found.keys.push_back(ids[i]);
    const std::size_t first = found.numbers.size();
    found.numbers.resize(first + n_features);
    std::memcpy(found.numbers.data() + first,
                states.bytes.data() + (*rows[i] * n_layers + place) * n_features * sizeof(float),
                n_features * sizeof(float));
  }
  return found;
}

}  // namespace labelprobe::record
