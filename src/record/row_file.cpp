#include "labelprobe/record/row_file.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/safetensors.h"
#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/files/unreadable.h"

namespace labelprobe::record {

namespace {

constexpr std::string_view kHashed = "labelprobe rows 1";

template <class Number>
std::string_view as_text(std::span<const Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

// An item as it lies in the file of rows: lengths, key, steps, numbers, and a hash of all of them.
struct Frame {
  std::uint64_t n_key_bytes = 0;
  std::uint64_t n_rows = 0;
};

std::string hash_of(std::string_view frame) {
  return fingerprint(fmt::format("{}{}", kHashed, frame));
}

template <class Number>
std::vector<Number> copy_of(std::span<const std::byte> bytes) {
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

std::optional<files::SafetensorsFile> open_whole(const std::filesystem::path& path) {
  if (!files::size_of(path)) return std::nullopt;
  try {
    return files::SafetensorsFile::open(path, ErrorKind::Data);
  } catch (const files::UnreadableError&) {
    throw;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

// The bytes of the tensor; nothing where there is none of this type and shape.
std::optional<std::span<const std::byte>> bytes_of(const files::SafetensorsFile& file,
                                                   std::string_view name,
                                                   std::string_view type,
                                                   std::span<const std::int64_t> shape) {
  for (const files::SafetensorsTensor& tensor : file.tensors()) {
    if (tensor.name == name && tensor.type == type && std::ranges::equal(tensor.shape, shape)) {
      return tensor.bytes;
    }
  }
  return std::nullopt;
}

// The keys of a file's items; empty where it does not tell them, or tells one twice.
std::vector<std::string> keys_of(const files::SafetensorsFile& file) {
  const auto ids = file.metadata().find("ids");
  if (ids == file.metadata().end()) return {};
  const auto listed = nlohmann::json::parse(ids->second, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> keys;
  for (const auto& key : listed.is_array() ? listed : nlohmann::json::array()) {
    if (!key.is_string()) return {};
    keys.push_back(key.get<std::string>());
  }
  const std::set<std::string> different(keys.begin(), keys.end());
  return different.size() == keys.size() ? keys : std::vector<std::string>();
}

}  // namespace

RowFile::RowFile(const std::filesystem::path& folder, int experiment, RowLayout layout)
    : folder_(folder), experiment_(experiment), layout_(std::move(layout)) {
  std::uint64_t n_whole = 0;
  if (files::size_of(rows_path()).value_or(0) > 0) {
    const files::MappedFile mapped(rows_path());
    n_whole = take_up(mapped.bytes());
  }
  if (files::size_of(rows_path())) disk_.cut_to(rows_path(), n_whole);
  rows_ = disk_.open_append(rows_path());
}

std::filesystem::path RowFile::path() const {
  return folder_ / fmt::format("{}_{}.safetensors", layout_.name, experiment_);
}

std::filesystem::path RowFile::rows_path() const {
  return folder_ / fmt::format("{}_{}.rows", layout_.name, experiment_);
}

std::size_t RowFile::floats_per_row() const {
  std::size_t n = 1;
  for (const std::int64_t size : layout_.shape) n *= static_cast<std::size_t>(size);
  return n;
}

// Returns how many bytes are whole items; what follows them is torn or damaged, and of no use.
std::uint64_t RowFile::take_up(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t n_hash = hash_of({}).size();
  std::size_t at = 0;
  while (text.size() - at >= sizeof(Frame) + n_hash) {
    Frame frame;
    std::memcpy(&frame, text.data() + at, sizeof frame);
    const std::size_t n_left = text.size() - at - sizeof frame - n_hash;
    const std::size_t bytes_per_row = sizeof(std::int64_t) + floats_per_row() * sizeof(float);
    if (frame.n_key_bytes > n_left || frame.n_rows > (n_left - frame.n_key_bytes) / bytes_per_row) {
      break;
    }
    const std::size_t n_bytes = sizeof frame + frame.n_key_bytes + frame.n_rows * bytes_per_row;
    if (text.substr(at + n_bytes, n_hash) != hash_of(text.substr(at, n_bytes))) break;
    Item item;
    item.steps.resize(frame.n_rows);
    const std::size_t first_step = at + sizeof frame + frame.n_key_bytes;
    if (frame.n_rows > 0) {
      std::memcpy(item.steps.data(), text.data() + first_step, frame.n_rows * sizeof(std::int64_t));
    }
    item.first_byte = first_step + frame.n_rows * sizeof(std::int64_t);
    items_.insert_or_assign(std::string(text.substr(at + sizeof frame, frame.n_key_bytes)),
                            std::move(item));
    at += n_bytes + n_hash;
  }
  return at;
}

void RowFile::append(const std::string& key,
                     std::span<const std::int64_t> steps,
                     std::span<const float> numbers) {
  add(key, steps, numbers);
  rows_->sync();
}

void RowFile::add(const std::string& key,
                  std::span<const std::int64_t> steps,
                  std::span<const float> numbers) {
  LABELPROBE_CHECK(numbers.size() == steps.size() * floats_per_row());
  const Frame frame{key.size(), steps.size()};
  std::string bytes(reinterpret_cast<const char*>(&frame), sizeof frame);
  bytes.append(key).append(as_text(steps));
  Item item;
  item.first_byte = rows_->size() + bytes.size();
  item.steps.assign(steps.begin(), steps.end());
  bytes.append(as_text(numbers));
  bytes.append(hash_of(bytes));
  rows_->append(bytes);
  items_.insert_or_assign(key, std::move(item));
}

void RowFile::append(const std::string& key, const RowFile& other) {
  const Item& item = other.items_.at(key);
  std::vector<float> numbers(item.steps.size() * floats_per_row());
  if (!numbers.empty()) {
    const files::MappedFile mapped(other.rows_path());
    std::memcpy(numbers.data(), mapped.text().substr(item.first_byte).data(),
                numbers.size() * sizeof(float));
  }
  append(key, item.steps, numbers);
}

void RowFile::take_finished() {
  const std::optional<files::SafetensorsFile> file = open_whole(path());
  if (!file || !file->metadata().contains("format") ||
      file->metadata().at("format") != layout_.format) {
    return;
  }
  for (const auto& [name, noted] : layout_.notes) {
    const std::int64_t n[] = {static_cast<std::int64_t>(noted.size())};
    const auto bytes = bytes_of(*file, name, "I64", n);
    if (!bytes || copy_of<std::int64_t>(*bytes) != noted) return;
  }
  const std::vector<std::string> keys = keys_of(*file);
  const auto found = std::ranges::find(file->tensors(), "item", &files::SafetensorsTensor::name);
  if (found == file->tensors().end() || found->shape.size() != 1) return;
  std::vector<std::int64_t> shape = found->shape;
  const auto items = bytes_of(*file, "item", "I64", shape);
  const auto steps = bytes_of(*file, "step", "I64", shape);
  shape.insert(shape.end(), layout_.shape.begin(), layout_.shape.end());
  const auto numbers = bytes_of(*file, layout_.tensor, "F32", shape);
  if (!items || !steps || !numbers) return;

  std::vector<std::vector<std::size_t>> rows_of(keys.size());
  const std::vector<std::int64_t> item_of_row = copy_of<std::int64_t>(*items);
  for (std::size_t row = 0; row < item_of_row.size(); ++row) {
    const auto item = static_cast<std::size_t>(item_of_row[row]);
    if (item >= keys.size()) return;
    rows_of[item].push_back(row);
  }
  const std::vector<std::int64_t> step_of_row = copy_of<std::int64_t>(*steps);
  const std::size_t row_bytes = floats_per_row() * sizeof(float);
  for (std::size_t item = 0; item < keys.size(); ++item) {
    if (has(keys[item])) continue;
    std::vector<std::int64_t> its_steps;
    std::vector<float> its_numbers;
    for (const std::size_t row : rows_of[item]) {
      its_steps.push_back(step_of_row[row]);
      const auto copied = copy_of<float>(numbers->subspan(row * row_bytes, row_bytes));
      its_numbers.insert(its_numbers.end(), copied.begin(), copied.end());
    }
    add(keys[item], its_steps, its_numbers);
  }
  rows_->sync();
}

std::string RowFile::head(std::span<const std::string> keys, std::int64_t n_rows) const {
  std::vector<files::TensorToWrite> tensors;
  std::vector<std::int64_t> shape = {n_rows};
  shape.insert(shape.end(), layout_.shape.begin(), layout_.shape.end());
  tensors.push_back({"item", "I64", {n_rows}});
  tensors.push_back({"step", "I64", {n_rows}});
  for (const auto& [name, numbers] : layout_.notes) {
    tensors.push_back({name, "I64", {static_cast<std::int64_t>(numbers.size())}});
  }
  tensors.push_back({layout_.tensor, "F32", std::move(shape)});
  const nlohmann::json ids(std::vector<std::string>(keys.begin(), keys.end()));
  return files::safetensors_head(tensors, {{"format", layout_.format}, {"ids", ids.dump()}});
}

void RowFile::finish(std::span<const std::string> keys) {
  std::vector<std::int64_t> items;
  std::vector<std::int64_t> steps;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Item& item = items_.at(keys[i]);
    items.insert(items.end(), item.steps.size(), static_cast<std::int64_t>(i));
    steps.insert(steps.end(), item.steps.begin(), item.steps.end());
  }
  const std::filesystem::path made = path().string() + ".partial";
  disk_.cut_to(made, std::nullopt);
  files::AppendFile out = disk_.open_append(made);
  out.append(head(keys, static_cast<std::int64_t>(items.size())));
  out.append(as_text(std::span<const std::int64_t>(items)));
  out.append(as_text(std::span<const std::int64_t>(steps)));
  for (const auto& [name, numbers] : layout_.notes) {
    out.append(as_text(std::span<const std::int64_t>(numbers)));
  }
  if (!items.empty()) {
    const files::MappedFile rows(rows_path());
    for (const std::string& key : keys) {
      const Item& item = items_.at(key);
      const std::size_t n_bytes = item.steps.size() * floats_per_row() * sizeof(float);
      out.append(rows.text().substr(item.first_byte, n_bytes));
    }
  }
  out.sync();
  disk_.rename(made, path());
}

void RowFile::forget() {
  rows_.reset();
  disk_.remove(rows_path());
}

}  // namespace labelprobe::record
